import { createLogger, loadConfig, systemClock } from '@skyrun/kit';
import { platformConfig } from '@skyrun/process';
import { orchestratorConfig } from './config.ts';
import { stopAllContainers } from './down/stop-all-containers.ts';

/** Stops the installation's containers with their usage accounted for, once no orchestrator runs any more. */
const logger = createLogger({ service: 'orchestrator-stop' });
const { stopped, accounted } = await stopAllContainers({
  config: loadConfig(orchestratorConfig),
  databaseUrl: loadConfig(platformConfig).SKYRUN_DATABASE_URL,
  clock: systemClock,
  logger,
});
logger.info({ stopped, accounted }, 'containers are stopped');
