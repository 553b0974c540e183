export { createRegistryService, type RegistryDeps } from './app.ts';
export { type RegistryConfig, registryConfig } from './config.ts';
