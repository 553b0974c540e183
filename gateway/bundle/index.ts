export { bundleGateway } from './bundle.ts';
