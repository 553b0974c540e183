export { bundleGateway } from './bundle.ts';
export { fingerprint } from './fingerprint.ts';
