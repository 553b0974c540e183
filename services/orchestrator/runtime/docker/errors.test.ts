import { expect, test } from 'vitest';
import { toRuntimeError } from './errors.ts';

const answer = (statusCode: number, message: string) =>
  Object.assign(new Error(`(HTTP code ${statusCode}) ${message}`), { statusCode, json: { message } });

const socket = 'dial unix /run/containerd/containerd.sock: connect: connection refused';

test.for([
  [500, `connection error: desc = "transport: Error while dialing ${socket}": unavailable`],
  [500, 'transport is closing: unavailable'],
  [500, 'failed to create shim task: ttrpc: closed: unknown'],
  [500, 'failed to start shim: context deadline exceeded: unknown'],
  [500, 'rpc error: code = Unavailable desc = error reading from server: EOF'],
  [503, 'try again later'],
  [500, 'context canceled'],
] as const)('%i %s: a part of the engine is away, which is no verdict on what it was asked', ([status, message]) => {
  expect(toRuntimeError(answer(status, message), 'cannot_start').code).toBe('unavailable');
});

test.for([
  [
    400,
    'failed to create shim task: OCI runtime create failed: exec: "transport is closing": not found in $PATH: unknown',
  ],
  [500, 'OCI runtime create failed: chdir to cwd ("/ttrpc: closed") failed: unavailable'],
  [400, 'invalid name: unavailable'],
  [500, 'failed to set up container networking'],
] as const)('%i %s: says something about what it was asked', ([status, message]) => {
  expect(toRuntimeError(answer(status, message), 'cannot_start').code).toBe('cannot_start');
});

test('no answer at all is no verdict', () => {
  expect(toRuntimeError(new Error('connect ECONNREFUSED'), 'cannot_start').code).toBe('unavailable');
});
