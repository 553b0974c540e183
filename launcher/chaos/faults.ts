import { spawnSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@skyrun/kit';
import type { Echo } from './echo.ts';
import type { Laboratory } from './laboratory.ts';
import type { Link, LinkMode } from './link.ts';
import type { Party } from './party.ts';
import type { Random } from './random.ts';

export interface FaultContext {
  readonly laboratory: Laboratory;
  readonly random: Random;
  readonly clock: Clock;
  readonly echo: Echo;
  /** Milliseconds that the brokers stay away in the class `absent`. */
  readonly absenceMs: number;
}

export interface FaultClass {
  readonly summary: string;
  /** Injects one fault, lets it last, lifts it; resolves with what it did, when it is lifted. */
  run(context: FaultContext): Promise<string>;
  /** Why it cannot be run in this laboratory; null when it can. */
  readonly refuses?: (laboratory: Laboratory) => string | null;
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

/** Services take part twice as often as the consumers: there are as many of them again. */
const victims = ({ laboratory }: FaultContext) => [...laboratory.of('service'), ...laboratory.of('consumer')];

async function killed(party: Party): Promise<string> {
  await party.kill();
  await party.untilReady();
  return `killed ${party.name}`;
}

async function stopped(party: Party, { random, clock }: FaultContext, most: number): Promise<string> {
  const ms = random.between(500, most);
  party.pause();
  await clock.sleep(ms);
  party.resume();
  return `stopped ${party.name} for ${seconds(ms)}`;
}

async function restarted(party: Party): Promise<string> {
  await party.end();
  await party.up();
  return `restarted ${party.name}`;
}

async function hurt(links: readonly Link[], mode: LinkMode, { random, clock }: FaultContext): Promise<string> {
  const ms = random.between(1_000, 5_000);
  for (const link of links) link.set(mode);
  await clock.sleep(ms);
  for (const link of links) link.set({ kind: 'open' });
  return `${mode.kind} ${links.map(({ name }) => name).join(', ')} for ${seconds(ms)}`;
}

/** One to three ways at once. */
function someLinks({ laboratory, random }: FaultContext): Link[] {
  const count = random.between(1, 3);
  return [...new Set(Array.from({ length: count }, () => random.pick(laboratory.links)))];
}

/** Nothing is left for the owner of the disk; where `leave` is given, so many bytes. */
async function filled(disk: string, { random, clock }: FaultContext, leave = 0): Promise<string> {
  const ms = random.between(3_000, 6_000);
  const { bavail, bsize } = statfsSync(disk);
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, '');
  spawnSync('fallocate', ['-l', String(Math.max(4096, bavail * bsize - leave)), ballast]);
  await clock.sleep(ms);
  rmSync(ballast);
  return `filled ${disk.split('/').at(-1)}’s disk for ${seconds(ms)}`;
}

/** Below RabbitMQ's own limit, at which it takes no more; what a full disk would do to it, it does not let come. */
const RABBITMQ_LEAVE = 100 * 1_048_576;
const HOUR_MS = 3_600_000;

export const FAULTS = {
  kill: {
    summary: 'kill -9 of a Skyrun process or a consumer',
    run: (context) => killed(context.random.pick(victims(context))),
  },
  stop: {
    summary: 'SIGSTOP of a Skyrun process or a consumer, up to 6 s',
    run: (context) => stopped(context.random.pick(victims(context)), context, 6_000),
  },
  restart: {
    summary: 'orderly restart of a Skyrun process or a consumer',
    run: (context) => restarted(context.random.pick(victims(context))),
  },
  broker: {
    summary: 'kill -9, SIGSTOP up to 15 s or restart of the broker',
    run: (context) => serverFault(context.laboratory.of('broker'), context),
  },
  database: {
    summary: 'kill -9, SIGSTOP up to 15 s or restart of PostgreSQL',
    run: (context) => serverFault(context.laboratory.of('database'), context),
  },
  cut: {
    summary: 'connections between parties reset, and refused for up to 5 s',
    run: (context) => hurt(someLinks(context), { kind: 'cut' }, context),
  },
  freeze: {
    summary: 'nothing arrives between parties for up to 5 s, then everything late',
    run: (context) => hurt(someLinks(context), { kind: 'frozen' }, context),
  },
  slow: {
    summary: 'links delayed by up to 0.2 s per piece and throttled to 64 KB/s',
    run: (context) =>
      hurt(
        someLinks(context),
        { kind: 'slow', delayMs: context.random.between(20, 200), bytesPerSecond: 65_536 },
        context,
      ),
  },
  repeat: {
    summary: 'events published again up to 3 times, late and in another order, while a consumer’s broker link is cut',
    async run(context) {
      const { random, laboratory, clock, echo } = context;
      const ms = random.between(2_000, 5_000);
      const before = echo.repeated();
      echo.listen(true);
      await clock.sleep(ms);
      const links = laboratory.links.filter(({ name }) => name.startsWith('consumer') && !name.endsWith('postgres'));
      const link = random.pick(links);
      link.set({ kind: 'cut' });
      await clock.sleep(300);
      link.set({ kind: 'open' });
      echo.listen(false);
      await echo.settled();
      return `repeated ${echo.repeated() - before} events; cut ${link.name}`;
    },
  },
  disk: {
    summary: 'the small disk of PostgreSQL or of the broker is full for up to 6 s',
    refuses: ({ disks }) => (disks.length === 0 ? 'needs root, to mount small disks' : null),
    run(context) {
      const disk = context.random.pick(context.laboratory.disks);
      return filled(disk, context, disk.endsWith('rabbitmq') ? RABBITMQ_LEAVE : 0);
    },
  },
  clock: {
    summary: 'a Skyrun process whose clock is up to an hour wrong, either way',
    async run({ laboratory, random, clock }) {
      const party = random.pick(laboratory.of('service').filter(({ name }) => !name.startsWith('gateway')));
      const offset = random.between(-HOUR_MS, HOUR_MS);
      await party.end();
      await party.up({ SKYRUN_CLOCK_OFFSET_MS: String(offset) });
      await clock.sleep(random.between(2_000, 5_000));
      await party.end();
      await party.up();
      return `${party.name}’s clock was wrong by ${Math.round(offset / 60_000)} min`;
    },
  },
  absent: {
    summary: 'the broker is away for --absence; the API goes on accepting',
    async run({ laboratory, clock, absenceMs }) {
      const [broker] = laboratory.of('broker');
      if (broker === undefined) throw new Error('the laboratory has no broker');
      await broker.killAndHold();
      await clock.sleep(absenceMs);
      await broker.up();
      return `${broker.name} was away for ${seconds(absenceMs)}`;
    },
  },
} as const satisfies Record<string, FaultClass>;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as readonly FaultName[];

function serverFault(servers: readonly Party[], context: FaultContext): Promise<string> {
  const server = context.random.pick(servers);
  switch (context.random.pick(['kill', 'stop', 'restart'] as const)) {
    case 'kill':
      return killed(server);
    case 'stop':
      return stopped(server, context, 15_000);
    case 'restart':
      return restarted(server);
  }
}
