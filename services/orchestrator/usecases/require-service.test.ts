import { expect, test } from 'vitest';
import type { DesiredRevision } from '../reconcile/records.ts';
import { requireService } from './require-service.ts';

const asked = { project: 'demo', service: 'web' };
const web = new Map([['rev_1', { revision: asked } as DesiredRevision]]);

function registry(before: typeof web | null, after: typeof web | null, answers = true) {
  let now = before;
  const refresh = async () => {
    now = after;
  };
  return { current: () => now, refresh, answers: () => answers };
}

test.each([
  ['is desired', registry(web, null), false],
  ['ran, and is not desired any more', registry(new Map(), new Map()), true],
  ['was created a moment ago', registry(new Map(), web), false],
  ['is not known while the registry is silent', registry(null, null, false), false],
])('a service that %s is answered for', async (_, desired, ran) => {
  await requireService({ desired, reads: { hasRun: async () => ran } }, asked);
});

test.each([
  ['the registry does not know either', registry(new Map(), new Map())],
  [
    'another project has one of the name',
    registry(new Map(), new Map([['rev_2', { revision: { project: 'other', service: 'web' } } as DesiredRevision]])),
  ],
])('a service that nobody knows, though %s, is not found', async (_, desired) => {
  const answer = requireService({ desired, reads: { hasRun: async () => false } }, asked);
  await expect(answer).rejects.toMatchObject({ code: 'resource.not_found' });
});
