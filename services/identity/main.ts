import { loadConfig } from '@skyrun/kit';
import { runProcess } from '@skyrun/process';
import { createIdentityService } from './app.ts';
import { identityConfig } from './config.ts';

await runProcess({
  name: 'identity',
  create: (platform) => [createIdentityService({ config: loadConfig(identityConfig), ...platform })],
});
