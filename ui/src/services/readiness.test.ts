import { type Condition, type Service, serviceSpec } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { lightsOf } from '../components/runway.tsx';
import { bareUrl, readinessOf } from './readiness.ts';

const at = '2026-01-01T00:00:00.000Z';

function service(status: Condition['status'] | null, ready: number, starting: number, observed = 1): Service {
  return {
    id: 'svc',
    project: 'demo',
    name: 'hello',
    generation: 1,
    spec: serviceSpec.parse({ template: { image: 'hello' } }),
    status: {
      url: 'http://hello.demo.localhost:8080',
      observedGeneration: observed,
      conditions: status === null ? [] : [{ type: 'Ready', status, message: 'why', lastTransitionTime: at }],
      traffic: [],
      instances: { ready, starting, draining: 0 },
    },
    createdAt: at,
    updatedAt: at,
  };
}

test.each([
  [service('True', 2, 0), 'ready', 'Ready'],
  [service('True', 0, 1), 'ready', 'Waking up'],
  [service('True', 0, 0), 'idle', 'Idle at zero'],
  [service('Unknown', 0, 1), 'deploying', 'Deploying'],
  [service('True', 1, 0, 0), 'deploying', 'Deploying'],
  [service(null, 0, 0), 'deploying', 'Deploying'],
  [service('False', 1, 0), 'failed', 'Failed'],
] as const)('case %#: the service is %2$s', (given, state, label) => {
  expect(readinessOf(given)).toMatchObject({ state, label });
});

test.each([
  [{ ready: 1, starting: 1, draining: 1 }, 5, ['ready', 'starting', 'draining', 'off', 'off']],
  [{ ready: 3, starting: 0, draining: 0 }, 2, ['ready', 'ready', 'ready']],
  [{ ready: 0, starting: 0, draining: 0 }, 1000, Array.from({ length: 12 }, () => 'off')],
] as const)('%j of at most %i show as %j', (counts, maxScale, lights) => {
  expect(lightsOf(counts, maxScale)).toEqual(lights);
});

test('a URL reads without its scheme', () => {
  expect(bareUrl('http://hello.demo.localhost:8080/')).toBe('hello.demo.localhost:8080');
});
