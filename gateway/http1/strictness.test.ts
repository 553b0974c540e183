import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EchoInstance, startEcho } from '../harness/echo-instance.ts';
import { type RunningGateway, route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw, statusOf } from '../harness/raw-client.ts';
import { REQUEST_CASES } from './cases.ts';

let echo: EchoInstance;
let running: RunningGateway;
let mark = 0;

beforeAll(async () => {
  echo = await startEcho();
  running = await startGateway([route([target([echo.port])])]);
});
afterAll(async () => {
  await running.close();
  await echo.close();
});

/** A clean request must be answered by its own response: nothing of the case before may have stayed anywhere. */
async function expectClean() {
  mark += 1;
  const { text } = await exchangeRaw(running.port, [
    `GET /clean HTTP/1.1\r\nHost: hello.demo.localhost\r\nX-Mark: ${mark}\r\nConnection: close\r\n\r\n`,
  ]);
  expect(statusOf(text)).toBe(200);
  expect(text.toLowerCase()).toContain(`\r\nx-mark: ${mark}\r\n`);
}

test('the table is large and has no two equal cases', () => {
  expect(REQUEST_CASES.length).toBeGreaterThan(350);
  expect(new Set(REQUEST_CASES.map((one) => `${one.clause}: ${one.name}`)).size).toBe(REQUEST_CASES.length);
});

describe.each(['accept', 'refuse'] as const)('%s', (verdict) => {
  test.each(REQUEST_CASES.filter((one) => one.verdict === verdict))('$clause: $name', async ({ bytes }) => {
    echo.reset();
    const answer = await exchangeRaw(running.port, [bytes]);
    expect(answer.ended).not.toBe('open');
    if (verdict === 'accept') {
      expect(statusOf(answer.text)).toBe(200);
      expect(echo.seen).toHaveLength(1);
    } else {
      expect(statusOf(answer.text)).toBe(400);
      expect(answer.text).toContain('"code":"request.invalid"');
      expect(answer.text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
      expect(echo.received()).toBe('');
    }
    await expectClean();
  });
});

test.each(REQUEST_CASES.filter((one) => one.bytes.length < 2000))(
  'byte by byte the verdict is the same: $clause: $name',
  async ({ bytes, verdict }) => {
    echo.reset();
    const answer = await exchangeRaw(running.port, Array.from(bytes));
    expect(statusOf(answer.text)).toBe(verdict === 'accept' ? 200 : 400);
    expect(echo.seen).toHaveLength(verdict === 'accept' ? 1 : 0);
  },
);
