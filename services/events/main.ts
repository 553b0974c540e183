import { loadConfig } from '@skyrun/kit';
import { runProcess } from '@skyrun/process';
import { createEventsService } from './app.ts';
import { eventsConfig } from './config.ts';

await runProcess({
  name: 'events',
  create: (platform) => [createEventsService({ config: loadConfig(eventsConfig), ...platform })],
});
