import { describe, expect, it } from 'vitest';
import { revisionConditions, serviceConditions } from './conditions.ts';
import { revisionRow, serviceState } from './state.fixture.ts';

const failed = { state: 'failed', reason: 'ProbeTimeout', message: 'nothing listens on port 8080' } as const;
const second = (iso: string) => Number(iso.slice(17, 19));

describe('conditions of a service', () => {
  const one = revisionRow(1, { state: 'ready' });
  const cases: readonly [string, Parameters<typeof serviceState>[0], string, number][] = [
    ['first revision pending', { newest: revisionRow(1) }, 'Unknown Unknown Unknown', 1],
    ['first revision ready', { newest: one, ready: one }, 'True True True', 1],
    ['first revision failed', { newest: revisionRow(1, failed) }, 'False False False', 1],
    ['second pending, first serves', { newest: revisionRow(2), ready: one }, 'Unknown Unknown True', 2],
    ['second failed, first serves', { newest: revisionRow(2, failed), ready: one }, 'False False True', 2],
    [
      'second ready',
      {
        newest: revisionRow(2, { state: 'ready' }),
        ready: revisionRow(2, { state: 'ready' }),
        service: { route_since: one.state_since },
      },
      'True True True',
      2,
    ],
  ];
  it.each(cases)('%s', (_, parts, statuses, since) => {
    const conditions = serviceConditions(serviceState(parts));
    expect(conditions.map(({ type }) => type)).toEqual(['Ready', 'ConfigurationsReady', 'RoutesReady']);
    expect(conditions.map(({ status }) => status).join(' ')).toBe(statuses);
    expect(second(conditions[0]?.lastTransitionTime ?? '')).toBe(since);
  });

  it('shows a revision that keeps ending as unhealthy, and its route where it was', () => {
    const looping = revisionRow(1, { state: 'ready', reason: 'CrashLoopBackOff', message: 'ended 4 times' });
    const conditions = revisionConditions(looping);
    expect(conditions.find(({ type }) => type === 'ContainerHealthy')).toMatchObject({
      status: 'False',
      reason: 'CrashLoopBackOff',
      message: 'ended 4 times',
    });
    const service = serviceConditions(serviceState({ newest: looping, ready: looping }));
    expect(service.map(({ status }) => status).join(' ')).toBe('False False True');
  });

  it('says why, and that traffic stays where it was', () => {
    const conditions = serviceConditions(serviceState({ newest: revisionRow(2, failed), ready: one }));
    expect(conditions[0]).toMatchObject({
      reason: 'RevisionFailed',
      message:
        'Revision hello-00002 failed (ProbeTimeout), traffic stays with hello-00001: nothing listens on port 8080',
    });
    expect(conditions[2]).toEqual({ type: 'RoutesReady', status: 'True', lastTransitionTime: expect.any(String) });
  });
});

describe('conditions of a revision', () => {
  it.each([
    ['pending', {}, 'Unknown', 'Deploying'],
    ['pending with news', { reason: 'PullingImage', message: 'x' }, 'Unknown', 'PullingImage'],
    ['ready', { state: 'ready' }, 'True', undefined],
    ['failed', failed, 'False', 'ProbeTimeout'],
    ['failed without a reason', { state: 'failed' }, 'False', 'Failed'],
  ] as const)('%s', (_, change, status, reason) => {
    const conditions = revisionConditions(revisionRow(1, change));
    expect(conditions.map(({ type }) => type)).toEqual(['Ready', 'ContainerHealthy']);
    for (const condition of conditions) expect([condition.status, condition.reason]).toEqual([status, reason]);
  });
});
