import { expect, test } from 'vitest';
import { afterLoss, type LostRequest } from './after-loss.ts';

const closed: LostRequest = {
  loss: { cause: 'closed', detail: 'ECONNRESET', answered: false },
  method: 'GET',
  whole: true,
  hasBody: false,
  streamed: false,
  reused: false,
  connectAttempts: 0,
  repeats: 0,
};
const refused = { ...closed, loss: { ...closed.loss, cause: 'connect' as const } };

test.each<[string, LostRequest, ReturnType<typeof afterLoss>]>([
  ['nobody listens', { ...refused, connectAttempts: 1 }, 'elsewhere'],
  [
    'nobody listens, and a body has begun',
    { ...refused, method: 'POST', whole: false, connectAttempts: 4 },
    'elsewhere',
  ],
  ['nobody listens anywhere', { ...refused, connectAttempts: 5 }, 'fail'],
  ['a GET on a new connection', closed, 'repeat'],
  [
    'a PUT with a body on a new connection: the instance may have acted',
    { ...closed, method: 'PUT', hasBody: true },
    'fail',
  ],
  ['a PUT with a body on a kept connection', { ...closed, method: 'PUT', hasBody: true, reused: true }, 'repeat'],
  ['a POST', { ...closed, method: 'POST', reused: true }, 'fail'],
  ['its body is gone', { ...closed, method: 'PUT', streamed: true, reused: true }, 'fail'],
  ['its body is not here yet', { ...closed, method: 'PUT', whole: false, reused: true }, 'fail'],
  ['an answer had begun', { ...closed, loss: { ...closed.loss, answered: true } }, 'fail'],
  ['the answer was no HTTP', { ...closed, loss: { ...closed.loss, cause: 'malformed' } }, 'fail'],
  [
    'a POST that the instance did not begin',
    { ...closed, method: 'POST', hasBody: true, loss: { ...closed.loss, unprocessed: true }, repeats: 2 },
    'elsewhere',
  ],
  ['refused everywhere', { ...closed, loss: { ...closed.loss, unprocessed: true }, connectAttempts: 5 }, 'fail'],
  ['refused, and its body is gone', { ...closed, loss: { ...closed.loss, unprocessed: true }, streamed: true }, 'fail'],
  ['twice already', { ...closed, repeats: 2 }, 'fail'],
])('%s', (_what, request, wanted) => {
  expect(afterLoss(request)).toBe(wanted);
});
