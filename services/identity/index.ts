export { createIdentityService, type IdentityDeps } from './app.ts';
export { type IdentityConfig, identityConfig } from './config.ts';
