import { loadConfig } from '@skyrun/kit';
import { runProcess } from '@skyrun/process';
import { createRegistryService } from './app.ts';
import { registryConfig } from './config.ts';

await runProcess({
  name: 'registry',
  create: (platform) => [
    createRegistryService({
      config: loadConfig(registryConfig),
      orchestrator: platform.client('orchestrator'),
      ...platform,
    }),
  ],
});
