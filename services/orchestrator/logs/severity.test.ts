import { expect, test } from 'vitest';
import { isAtLeast, severityOf } from './severity.ts';

test.each([
  ['{"severity":"ERROR","message":"no"}', 'error'],
  ['{"level":50,"msg":"no"}', 'error'],
  ['{"level":"warn","msg":"hm"}', 'warning'],
  ['{"msg":"an error"}', undefined],
  ['{not json ERROR', 'error'],
  ['2026-01-02T03:04:05Z INFO started', 'info'],
  ['[warn] low', 'warning'],
  ['level=fatal msg=over', 'critical'],
  ['Error: boom', 'error'],
  ['GET /errors 200', undefined],
  [`${'x'.repeat(90)} ERROR`, undefined],
  ['', undefined],
] as const)('%s says %s', (text, severity) => {
  expect(severityOf(text)).toBe(severity);
});

test('what does not say is not at least anything', () => {
  expect(isAtLeast(undefined, 'debug')).toBe(false);
  expect(isAtLeast('error', 'warning')).toBe(true);
  expect(isAtLeast('info', 'warning')).toBe(false);
});
