import { Agent, request } from 'node:http';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startEcho } from '../harness/echo-instance.ts';
import { route, startGateway, target } from '../harness/gateway.ts';
import { pickTarget } from './hosts.ts';

const revision = (number: number) => ({
  revisionId: `rev_01890000-0000-7000-8000-00000000000${number}`,
  revisionName: `hello-0000${number}`,
});

interface Seen {
  readonly port: string;
  readonly cookie: string | undefined;
}

/** Two revisions, one host that splits and one that a tag leads to. */
async function startSplit(percent: number, sticky = false) {
  const echoes = await Promise.all([startEcho(), startEcho()]);
  const [old, fresh] = echoes.map((echo) => echo.port);
  const targets = (share: number) => [
    target([old ?? 0], { ...revision(1), percent: 100 - share }),
    target([fresh ?? 0], { ...revision(2), percent: share }),
  ];
  const tagged = route([target([fresh ?? 0], revision(2))], 'next---hello.demo.localhost');
  const running = await startGateway([{ ...route(targets(percent)), sticky }, tagged]);
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const ask = (host: string, cookie?: string) =>
    new Promise<Seen>((resolve, reject) => {
      const headers = { host, ...(cookie === undefined ? {} : { cookie }) };
      request({ agent, port: running.port, host: '127.0.0.1', headers }, (response) => {
        response.resume();
        response.on('end', () => {
          const set = response.headers['set-cookie']?.[0];
          resolve({ port: String(response.headers['x-mark'] ?? ''), cookie: set });
        });
      })
        .on('error', reject)
        .end();
    });
  return {
    ask,
    counts: () => echoes.map((echo) => echo.seen.length),
    async close() {
      agent.destroy();
      await running.close();
      for (const echo of echoes) await echo.close();
    },
  };
}

const HOST = 'hello.demo.localhost';
const side = (cookie: string | undefined) => /^skyrun-affinity=\d{1,3}/.exec(cookie ?? '')?.[0] ?? '';

test('requests fall on revisions by their shares, and a tag leads to its own whatever its share', async () => {
  const split = await startSplit(20);
  try {
    for (let count = 0; count < 1000; count += 1) await split.ask(HOST);
    const [, fresh = 0] = split.counts();
    // Five standard deviations of a binomial share of 0.2 of 1000.
    expect(Math.abs(fresh - 200)).toBeLessThan(64);
    for (let count = 0; count < 20; count += 1) await split.ask('next---hello.demo.localhost');
    expect(split.counts()[1]).toBe(fresh + 20);
  } finally {
    await split.close();
  }
});

test('a cookie keeps a client at its side, and moves it only to the newer one as its share grows', async () => {
  const split = await startSplit(50, true);
  try {
    const first = await split.ask(HOST);
    expect(first.cookie).toMatch(/^skyrun-affinity=\d{1,3}; Path=\/; HttpOnly; SameSite=Lax$/);
    const before = split.counts();
    for (let count = 0; count < 20; count += 1) {
      expect((await split.ask(HOST, `a=b; ${side(first.cookie)}; c=d`)).cookie).toBeUndefined();
    }
    const moved = split.counts().map((count, index) => count - (before[index] ?? 0));
    expect(moved.toSorted((one, other) => one - other)).toEqual([0, 20]);
  } finally {
    await split.close();
  }
});

test('who is at the new revision stays there while its share grows', () => {
  fc.assert(
    fc.property(fc.nat(999), fc.integer({ min: 0, max: 99 }), fc.integer({ min: 1, max: 100 }), (at, from, more) => {
      const targets = (share: number) => [{ percent: 100 - share }, { percent: share, fresh: true }];
      const grown = Math.min(100, from + more);
      const was = pickTarget(targets(from), at / 1000);
      const is = pickTarget(targets(grown), at / 1000);
      if (was !== null && 'fresh' in was) expect(is).toMatchObject({ fresh: true });
    }),
  );
});
