import { loadConfig } from '@skyrun/kit';
import { runProcess } from '@skyrun/process';
import { createOrchestratorService } from './app.ts';
import { orchestratorConfig } from './config.ts';

await runProcess({
  name: 'orchestrator',
  create: (platform) => [
    createOrchestratorService({
      config: loadConfig(orchestratorConfig),
      registry: platform.client('registry'),
      ...platform,
    }),
  ],
});
