import { Problem } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { outcomeOf } from './upload.ts';

const failed = new Problem('image.truncated', { detail: 'cut off at byte 512' });

test.each([
  ['a failed line', 201, { phase: 'failed', problem: failed.toDetails() }, '', 'image.truncated'],
  ['problem+json', 422, null, JSON.stringify(failed.toDetails()), 'image.truncated'],
  ['a proxy page', 502, null, '<html>', 'platform.internal'],
  ['an end without a last word', 201, { phase: 'importing', bytes: 1, totalBytes: 2 }, '', 'platform.unavailable'],
] as const)('%s becomes a problem', (_name, status, last, body, code) => {
  expect(outcomeOf(status, last, body)).toMatchObject({ name: 'Problem', code });
});
