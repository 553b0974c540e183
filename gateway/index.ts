export {
  createGateway,
  DEFAULT_LIMITS,
  type Gateway,
  type GatewayDeps,
} from './app.ts';
export { gatewayConfig } from './config.ts';
