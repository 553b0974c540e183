import { configTypes, defineConfig } from '@skyrun/kit';

export const launcherConfig = defineConfig('launcher', {
  SKYRUN_GATEWAY_PORT: {
    schema: configTypes.port,
    default: '8080',
    doc: 'port that the gateways listen on; --port wins',
  },
  SKYRUN_GATEWAY_LISTEN_HOST: {
    schema: configTypes.text,
    default: '127.0.0.1',
    doc: 'address that the gateways listen on; 0.0.0.0 opens the installation to the network',
  },
  SKYRUN_GATEWAYS: {
    schema: configTypes.integer.min(0).max(64),
    default: '0',
    doc: 'number of gateway processes; 0 is one for every core but one',
  },
  SKYRUN_BASE_DOMAIN: {
    schema: configTypes.text,
    default: 'localhost',
    doc: 'domain under which services answer, as <service>.<project>.<base domain>',
  },
  SKYRUN_DOCKER_SOCKET: {
    schema: configTypes.text,
    default: '/var/run/docker.sock',
    doc: 'socket of the Docker Engine that runs the tenants’ containers',
  },
});
