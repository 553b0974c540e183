import { join, resolve } from 'node:path';

/** Where an installation keeps things; nothing outside `dataDir` but what `layout.shared` names. */
export interface Layout {
  readonly root: string;
  readonly dataDir: string;
  readonly secrets: string;
  readonly state: string;
  readonly engine: string;
  readonly logs: string;
  readonly postgres: string;
  readonly redis: string;
  readonly rabbitmq: string;
  readonly gateways: string;
  readonly tls: string;
  readonly control: string;
  readonly sample: string;
  readonly sampleDeployed: string;
  readonly uiStamp: string;
  readonly compileCache: string;
  /** For an account that cannot enter the data directory; readable by all. */
  readonly shared: string;
}

export function layoutOf(root: string, dataDir = join(root, '.skyrun')): Layout {
  const base = resolve(dataDir);
  const at = (...parts: string[]): string => join(base, ...parts);
  return {
    root,
    dataDir: base,
    secrets: at('secrets.json'),
    state: at('state.json'),
    engine: at('dockerd.json'),
    logs: at('logs'),
    postgres: at('postgres'),
    redis: at('redis'),
    rabbitmq: at('rabbitmq'),
    gateways: at('gateways'),
    tls: at('tls'),
    control: at('control'),
    sample: at('sample'),
    sampleDeployed: at('sample-deployed'),
    uiStamp: join(root, 'ui', 'dist', '.sources'),
    compileCache: at('cache', 'compile'),
    shared: '/var/lib/skyrun',
  };
}
