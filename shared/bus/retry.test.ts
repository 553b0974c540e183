import { describe, expect, it } from 'vitest';
import { afterFailure, DEFAULT_RETRY, isTransientError } from './retry.ts';

const withCode = (code: string, cause?: unknown) => Object.assign(new Error('x', { cause }), { code });

describe('isTransientError', () => {
  it.each([
    ['refused connection', withCode('ECONNREFUSED'), true],
    ['PostgreSQL going down', withCode('57P01'), true],
    ['PostgreSQL connection class', withCode('08006'), true],
    ['PostgreSQL’s disk full', withCode('53100'), true],
    ['PostgreSQL cannot read its files', withCode('58030'), true],
    ['a code of somebody else that looks alike', withCode('530'), false],
    ['deadlock', withCode('40P01'), true],
    ['pool without answer', new Error('timeout exceeded when trying to connect'), true],
    ['wrapped', new Error('cannot store', { cause: withCode('ECONNRESET') }), true],
    ['said so itself', Object.assign(new Error('later'), { transient: true }), true],
    ['unique violation', withCode('23505'), false],
    ['a bug', new TypeError('x is undefined'), false],
    ['not an error', 'ECONNREFUSED', false],
  ])('%s → %s', (_, error, expected) => {
    expect(isTransientError(error)).toBe(expected);
  });

  it('ends on an error that causes itself', () => {
    const error = new Error('loop');
    error.cause = error;
    expect(isTransientError(error)).toBe(false);
  });
});

describe('afterFailure', () => {
  it.each([
    [false, 1, 'again'],
    [false, 7, 'again'],
    [false, 8, 'dead'],
    [true, 8, 'again'],
    [true, 1000, 'again'],
  ] as const)('transient %s, %i failures → %s', (transient, failures, expected) => {
    expect(afterFailure(DEFAULT_RETRY, transient, failures)).toBe(expected);
  });
});
