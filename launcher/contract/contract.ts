import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '@skyrun/kit';
import type { Layout } from '../layout.ts';
import type { Progress } from '../up/progress.ts';
import type { Clause } from './clause.ts';
import { admissionClauses } from './clauses/admission.ts';
import { fileClauses } from './clauses/files.ts';
import { lifecycleClauses } from './clauses/lifecycle.ts';
import { limitClauses } from './clauses/limits.ts';
import { networkClauses } from './clauses/network.ts';
import { privilegeClauses } from './clauses/privileges.ts';
import { processClauses } from './clauses/process.ts';
import { requestClauses } from './clauses/requests.ts';
import { openPlace } from './place.ts';
import { table } from './table.ts';
import { NEIGHBOUR, openWorld, type World } from './world.ts';

export interface ContractOptions {
  readonly layout: Layout;
  /** Not the running installation, but one of its own. */
  readonly apart: boolean;
  readonly json: boolean;
  readonly progress: Progress;
  readonly clock?: Clock;
}

/** For what must be nothing but JSON. */
const silent: Progress = { step: (_title, work) => work(() => undefined), line: () => undefined };

/** Looks at real containers that Skyrun has started, from inside; prints a table and resolves with the exit code. */
export async function contract(options: ContractOptions): Promise<number> {
  const { layout, apart, json, clock = systemClock } = options;
  const progress = json ? silent : options.progress;
  const place = await openPlace(layout, apart, progress);
  const cacheDir = mkdtempSync(join(tmpdir(), 'skyrun-contract-image-'));
  try {
    const world = await progress.step('build and upload the probe', () => openWorld(place, cacheDir, clock));
    try {
      const clauses = await progress.step('look from inside', (note) => look(world, note));
      options.progress.line(json ? JSON.stringify(clauses, null, 2) : `\n${table(clauses)}`);
      return clauses.every(({ holds }) => holds) ? 0 : 1;
    } finally {
      await world.clear();
    }
  } finally {
    rmSync(cacheDir, { recursive: true, force: true });
    await place.end();
  }
}

async function look(world: World, note: (detail: string) => void): Promise<Clause[]> {
  note('deploys');
  await deployAll(world);
  note('facts');
  const [plain, custom, root] = await Promise.all(['plain', 'custom', 'root'].map((service) => world.facts(service)));
  if (!plain || !custom || !root) throw new Error('there are three');
  note('the network');
  const network = await networkClauses(world, plain);
  note('fields that are refused');
  const admission = await admissionClauses(world);
  note('limits');
  const limits = await limitClauses(world, plain);
  note('requests and life cycle');
  const [requests, lifecycle] = await Promise.all([requestClauses(world), lifecycleClauses(world)]);
  return [
    ...processClauses({ plain, custom, root }),
    ...fileClauses({ plain, root }),
    ...privilegeClauses({ plain, root }),
    ...limits,
    ...network,
    ...requests,
    ...lifecycle,
    ...admission,
  ];
}

/** Those that come up, and stay up until they are asked for something else. */
const SOUND = ['plain', 'custom', 'http2', 'root', 'limits', 'crowd', 'slow', 'ends', 'graceful', 'stubborn'];

async function deployAll(world: World): Promise<void> {
  const variables = (all: Readonly<Record<string, string>>) =>
    Object.entries(all).map(([name, value]) => ({ name, value }));
  const early = { startupProbe: { deadlineSeconds: 3 } };
  await Promise.all([
    world.deploy('plain'),
    world.deploy('neighbour', {}, NEIGHBOUR),
    world.deploy('custom', {
      port: 9090,
      command: ['/usr/local/bin/node'],
      args: ['/app/main.cjs', 'one', 'two'],
      workingDir: '/tmp',
      runAsUser: 12_345,
      env: variables({ GREETING: 'hällo = "world"' }),
    }),
    world.deploy('http2', { protocol: 'h2c', env: variables({ PROBE_HTTP2: 'yes' }) }),
    world.deploy('root', { runAsUser: 0 }),
    world.deploy('limits'),
    // A thousand programs, however small, need more memory than the others have.
    world.deploy('crowd', { resources: { cpuMilli: 1000, memoryMib: 512 } }),
    world.deploy('slow', { timeoutSeconds: 3 }),
    world.deploy('ends'),
    world.deploy('graceful'),
    world.deploy('stubborn', {
      terminationGraceSeconds: 2,
      livenessProbe: { kind: 'http', path: '/live', periodSeconds: 1, failureThreshold: 1 },
      env: variables({ PROBE_IGNORES_TERM: 'yes' }),
    }),
    world.deploy('exits', { env: variables({ PROBE_EXITS_WITH: '3' }) }),
    world.deploy('silent', { ...early, env: variables({ PROBE_LISTENS: 'no' }) }),
    world.deploy('hungry', { env: variables({ PROBE_EATS_MIB: '512' }) }),
  ]);
  await Promise.all([world.ready('neighbour', NEIGHBOUR), ...SOUND.map((service) => world.ready(service))]);
}
