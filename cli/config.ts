import { configTypes, defineConfig } from '@skyrun/kit';

export const cliConfig = defineConfig('cli', {
  SKYRUN_SESSION_FILE: {
    schema: configTypes.optionalText,
    doc: 'where the CLI keeps who is signed in; default ~/.config/skyrun/session.json',
  },
  SKYRUN_PASSWORD: { schema: configTypes.optionalText, doc: 'password for `skyrun login`', secret: true },
  SKYRUN_PROJECT: { schema: configTypes.optionalText, doc: 'project that CLI commands mean when --project is absent' },
  SKYRUN_CLI_DOCKER_SOCKET: {
    schema: configTypes.text,
    default: '/var/run/docker.sock',
    doc: 'the engine from which `skyrun deploy --image` reads',
  },
});
