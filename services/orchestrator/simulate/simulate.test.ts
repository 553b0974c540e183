import { systemClock } from '@skyrun/kit';
import { expect, test } from 'vitest';
import { desiredOf } from '../testing/desired.ts';
import { simulate } from './simulate.ts';
import { classOf, steady, type Traffic, trafficOf } from './traffic.ts';

const FROM = Date.UTC(2026, 0, 5, 8);
const MINUTE_MS = 60_000;
const setting = { from: FROM, stopwatch: systemClock };

const serviceOf = (traffic: Traffic, scaling: Record<string, unknown> = {}, service = 'web') => ({
  desired: desiredOf({ service, template: { containerConcurrency: 10, scaling } }),
  traffic,
});

test('under a day’s shape, bursts and a long tail, instances stay within their bounds and come back to zero', async () => {
  const services = Array.from({ length: 200 }, (_, index) => {
    const scaling = {
      minScale: index % 7 === 0 ? 2 : 0,
      maxScale: 12,
      idle: { pausedSeconds: index % 2 === 0 ? 3600 : 0 },
    };
    return serviceOf(trafficOf(classOf(index), index, 7), scaling, `s${index}`);
  });
  const bounds = new Map(services.map(({ desired }) => [desired.revision.id, desired.revision.template.scaling]));
  const outside: string[] = [];
  const outcome = await simulate({
    ...setting,
    services,
    lastsMs: 30 * MINUTE_MS,
    onDecision({ revisionId, to }) {
      const { minScale = 0, maxScale = 0 } = bounds.get(revisionId) ?? {};
      if (to < minScale || to > maxScale) outside.push(`wants ${to} of ${minScale} to ${maxScale}`);
    },
    onSecond({ revisionId, ready }) {
      const { maxScale = 0 } = bounds.get(revisionId) ?? {};
      if (ready > maxScale) outside.push(`${ready} ready of ${maxScale}`);
    },
  });
  expect(outside).toEqual([]);
  expect(outcome.starts.created).toBeGreaterThan(50);
  expect(outcome.starts.resumed).toBeGreaterThan(0);
  // Nine of ten services are visited a few times a day.
  expect(outcome.zeroSeconds).toBeGreaterThan(0.5 * 200 * 30 * 60);
}, 60_000);

test('steady load settles and is left alone', async () => {
  const levels = [15, 40, 90, 200];
  const services = levels.map((concurrency, index) =>
    serviceOf(() => ({ concurrency, until: Number.MAX_SAFE_INTEGER }), { maxScale: 100 }, `s${index}`),
  );
  const decided: number[] = [];
  const lastsMs = 20 * MINUTE_MS;
  const outcome = await simulate({ ...setting, services, lastsMs, onDecision: ({ at }) => decided.push(at) });
  expect(outcome.flaps).toBe(0);
  expect(decided.filter((at) => at > FROM + 2 * MINUTE_MS)).toEqual([]);
  expect(outcome.scaleUps).toBeGreaterThanOrEqual(levels.length);
});

test('where the noise of independent requests crosses a whole number, the scale-down delay makes it flap less', async () => {
  const outcomes = [0, 120].map((scaleDownDelaySeconds) => {
    const services = [15, 40, 90, 200].map((level, index) =>
      serviceOf(steady(level, index), { maxScale: 100, scaleDownDelaySeconds }, `s${index}`),
    );
    return simulate({ ...setting, services, lastsMs: 20 * MINUTE_MS });
  });
  const [without, delayed] = await Promise.all(outcomes);
  // Knative's rule as it is: a mean on the edge between two numbers asks now for the one and now for the other.
  expect(without?.flaps).toBeGreaterThan(0);
  expect(delayed?.flaps).toBeLessThan((without?.flaps ?? 0) / 4);
});

test('a service that nobody asks for goes to zero and costs no judgement any more', async () => {
  const until = FROM + 5 * MINUTE_MS;
  const traffic: Traffic = (now) =>
    now < until ? { concurrency: 30, until } : { concurrency: 0, until: Number.MAX_SAFE_INTEGER };
  const service = serviceOf(traffic, { maxScale: 50, idle: { pausedSeconds: 0 } });
  const ready: (readonly [at: number, ready: number])[] = [];
  const seen = (lastsMs: number) =>
    simulate({ ...setting, services: [service], lastsMs, onSecond: ({ at, ready: now }) => ready.push([at, now]) });
  const outcome = await seen(30 * MINUTE_MS);
  expect(Math.max(...ready.map(([, count]) => count))).toBeGreaterThanOrEqual(5);
  const [end] = ready.at(-1) ?? [0];
  // A stable window, the grace, and the drain after the last request.
  expect(end - until).toBeGreaterThanOrEqual(30_000);
  expect(end - until).toBeLessThan(3 * MINUTE_MS);
  // One for each second of traffic and of the window after it, and one for each look at all.
  expect(outcome.judgements).toBeLessThan(5 * 60 + 180 + 30 * 2 + 10);
});

test('the same seed gives the same day', async () => {
  const day = async () => {
    const services = Array.from({ length: 50 }, (_, index) =>
      serviceOf(trafficOf('hourly', index, 3), {}, `s${index}`),
    );
    const { loopMs: _, ...outcome } = await simulate({ ...setting, services, lastsMs: 10 * MINUTE_MS });
    return outcome;
  };
  expect(await day()).toEqual(await day());
});
