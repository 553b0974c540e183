import { Problem } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { fieldMessage, plainMessage, problemFromBody, toProblem } from './problems.ts';

const body = {
  type: 'about:blank',
  title: 'It is in use',
  status: 409,
  code: 'resource.in_use',
  detail: 'hello uses it',
};

test('problem+json keeps its code, detail, errors and Retry-After', () => {
  const errors = [{ field: '/name', message: 'expected a name' }];
  const problem = problemFromBody(409, { ...body, errors }, '7');
  expect(problem).toMatchObject({ code: 'resource.in_use', detail: 'hello uses it', errors, retryAfterSeconds: 7 });
});

test.each([
  [401, null, 'auth.required'],
  [502, null, 'platform.unavailable'],
  [418, { tea: true }, 'platform.internal'],
  [409, { ...body, code: 'newer.than_this_page' }, 'platform.internal'],
])('an answer of %i with %j is %s', (status, answer, code) => {
  expect(problemFromBody(status, answer).code).toBe(code);
});

test('a field has the message of its own pointer only', () => {
  const problem = new Problem('request.invalid', {
    errors: [
      { field: '/spec/template/env/0/name', message: 'set by Skyrun' },
      { field: '/spec/template/port', message: 'Invalid input: expected number, received NaN' },
    ],
  });
  expect(fieldMessage(problem, '/name')).toBeUndefined();
  expect(fieldMessage(problem, '/spec/template/env/0/name')).toBe('set by Skyrun');
  expect(fieldMessage(problem, '/spec/template/port')).toBe('expected a number');
  expect(fieldMessage(null, '/name')).toBeUndefined();
});

test.each([
  ['Too small: expected number to be >=1', 'expected at least 1'],
  ['Too big: expected number to be <=1000', 'expected at most 1000'],
  ['Too small: expected number to be >0', 'expected more than 0'],
  ['Too small: expected string to have >=1 characters', 'expected something here'],
  ['must not exceed maxScale (-1)', 'must not exceed maxScale (-1)'],
])('the schema’s %s reads %s', (message, plain) => expect(plainMessage(message)).toBe(plain));

test('whatever was thrown becomes a problem', () => {
  expect(toProblem(new TypeError('odd'))).toMatchObject({ code: 'platform.internal', detail: 'odd' });
  const problem = new Problem('auth.forbidden');
  expect(toProblem(problem)).toBe(problem);
});
