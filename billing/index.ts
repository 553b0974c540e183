export { type BillingDeps, createBillingService } from './app.ts';
export { type BillingConfig, billingConfig } from './config.ts';
