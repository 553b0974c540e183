import { configTypes, createLogger, defineConfig, loadConfig } from '@skyrun/kit';
import { z } from 'zod';
import { connectSkyrun, type Skyrun, type SkyrunOptions } from './connect.ts';

const text = z.string().min(1).optional();

export const clientConfig = defineConfig('client', {
  SKYRUN_BUS: { schema: z.enum(['redis', 'rabbitmq']), default: 'redis', doc: 'which broker carries the events' },
  SKYRUN_BUS_URL: { schema: configTypes.url, doc: 'address of the broker', secret: true },
  SKYRUN_URL: { schema: configTypes.url.optional(), doc: 'address of Skyrun; needed to publish and to be found' },
  SKYRUN_TOKEN: { schema: text, doc: 'API key (or access token) for SKYRUN_URL', secret: true },
  SKYRUN_PROJECT: { schema: text, doc: 'project of the team' },
  SKYRUN_CLIENT_LOG_LEVEL: { schema: configTypes.logLevel, default: 'info', doc: 'how much to say' },
});

/** Connects as the environment says (`SKYRUN_BUS`, `SKYRUN_BUS_URL`, …); what is given here comes first. */
export function connectFromEnvironment(
  options: Pick<SkyrunOptions, 'group'> & Partial<SkyrunOptions>,
): Promise<Skyrun> {
  const config = loadConfig(clientConfig);
  const { SKYRUN_URL: url, SKYRUN_TOKEN: token, SKYRUN_PROJECT: project } = config;
  const api = url === undefined || token === undefined ? {} : { api: { url, token: () => token } };
  return connectSkyrun({
    kind: config.SKYRUN_BUS,
    url: config.SKYRUN_BUS_URL,
    logger: createLogger({ service: options.group, level: config.SKYRUN_CLIENT_LOG_LEVEL }),
    ...(project === undefined ? {} : { project }),
    ...api,
    ...options,
  });
}
