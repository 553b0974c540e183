import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../app.ts';
import { type ClientQuiet, lostPatience } from './patience.ts';

const limits = { ...DEFAULT_LIMITS, headerMs: 10, restMs: 15, idleMs: 75, stallMs: 30, drainIdleMs: 20 };
const NOW = 1_000_000;
const quiet: ClientQuiet = {
  state: 'head',
  headBegun: false,
  headSince: 0,
  activeAt: 0,
  paused: false,
  flushed: true,
};

/** `headMs`, `quietMs`: how long ago the head began, and since when nothing has happened. */
interface Case extends Partial<Omit<ClientQuiet, 'headSince' | 'activeAt'>> {
  readonly headMs?: number;
  readonly quietMs?: number;
  readonly draining?: boolean;
}

test.each<[string, Case, ReturnType<typeof lostPatience>]>([
  ['idle for a moment', { quietMs: 15 }, null],
  ['idle', { quietMs: 16 }, 'rest'],
  ['idle to the end of its time', { quietMs: 75 }, 'rest'],
  ['idle for too long', { quietMs: 76 }, 'end'],
  ['idle for a while and the gateway stops', { quietMs: 20, draining: true }, 'rest'],
  ['idle while the gateway stops', { quietMs: 21, draining: true }, 'end'],
  ['a head that comes slowly', { headBegun: true, headMs: 11 }, 'head'],
  ['a head within its time, however long the connection was idle', { headBegun: true, headMs: 10, quietMs: 500 }, null],
  ['a body that stalls', { state: 'body', quietMs: 31 }, 'body'],
  ['a body that is not read', { state: 'body', quietMs: 31, paused: true }, null],
  ['waiting for its answer', { state: 'busy', quietMs: 100_000 }, null],
  ['a quiet tunnel', { state: 'tunnel', quietMs: 100_000 }, null],
  ['a client that does not close', { state: 'linger', quietMs: 2001 }, 'cut'],
  ['a client that still takes its answer', { state: 'linger', quietMs: 2001, flushed: false }, null],
])('%s', (_what, { headMs = 0, quietMs = 0, draining = false, ...change }, wanted) => {
  const client = { ...quiet, ...change, headSince: NOW - headMs, activeAt: NOW - quietMs };
  expect(lostPatience(client, { limits, draining }, NOW)).toBe(wanted);
});
