import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';

function logged(write: (logger: ReturnType<typeof createLogger>) => void): string {
  const written: string[] = [];
  write(createLogger({ service: 'test', destination: { write: (line: string) => written.push(line) } }));
  return written.join('');
}

test.each([
  [{ password: 'hunter2' }],
  [{ user: { refreshToken: 'hunter2' } }],
  [{ headers: { authorization: 'Bearer hunter2' } }],
  [{ request: { headers: { cookie: 'hunter2' } } }],
  [{ error: new Error('connect postgres://me:hunter2@host/db failed') }],
  [{ error: new Error('outer', { cause: new Error('amqp://me:hunter2@host') }) }],
])('%o is logged without its secret', (fields) => {
  const text = logged((logger) => logger.info(fields, 'message'));
  expect(text).toContain('message');
  expect(text).not.toContain('hunter2');
});
