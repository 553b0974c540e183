import { silentLogger } from '@skyrun/kit';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { connectSkyrun, type TypesOf } from './index.ts';

describe('connectSkyrun', () => {
  const connect = () => connectSkyrun({ kind: 'memory', group: 'team', logger: silentLogger });

  it('types the event by the pattern', async () => {
    const skyrun = await connect();
    skyrun.on('skyrun.usage.recorded.v1', async (event) => {
      expectTypeOf(event.data.busyMs).toBeNumber();
    });
    skyrun.on('skyrun.instance.*', async (event) => {
      expectTypeOf(event.data.revisionName).toBeString();
    });
    expectTypeOf<TypesOf<'skyrun.usage.*'>>().toEqualTypeOf<
      'skyrun.usage.recorded.v1' | 'skyrun.usage.lost.v1' | 'skyrun.usage.differed.v1'
    >();
    expectTypeOf<TypesOf<'skyrun.nothing.*'>>().toBeNever();
    await skyrun.start();
    expect(skyrun.ready()).toBe(true);
    await skyrun.stop();
  });

  it('refuses a pattern that means nothing, and handlers after the start', async () => {
    const skyrun = await connect();
    expect(() => skyrun.on('skyrun.nothing.*', async () => undefined)).toThrow(/unknown_type: skyrun.nothing/);
    skyrun.on('skyrun.service.*', async () => undefined);
    await skyrun.start();
    expect(() => skyrun.on('skyrun.usage.*', async () => undefined)).toThrow(/before start/);
    await skyrun.stop();
  });

  it('tolerates stop before start, and stopping twice', async () => {
    const skyrun = await connect();
    await skyrun.stop();
    await skyrun.stop();
  });
});
