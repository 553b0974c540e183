import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { route, startGateway, target } from '../harness/gateway.ts';
import { startUpstream } from '../harness/upstream.ts';

const HOST = 'Host: hello.demo.localhost\r\n';
const REQUESTS = 'GET / HTTP/1.1\r\nHost: nobody.demo.localhost\r\n\r\n'.repeat(1000);
/** Resolves once a count that has begun stands still: looks every half second, and believes it the second time. */
async function standsStill(count: () => number | Promise<number>): Promise<number> {
  let before = -1;
  let looks = 0;
  await expect
    .poll(
      async () => {
        const now = await count();
        looks = now > 0 && now === before ? looks + 1 : 0;
        before = now;
        return looks;
      },
      { timeout: 60_000, interval: 500 },
    )
    .toBeGreaterThanOrEqual(2);
  return before;
}

test('a client that asks ahead and takes no answer is not read on, and gets its answers when it reads', async () => {
  const running = await startGateway([]);
  const metrics = `http://127.0.0.1:${running.gateway.adminAddress().port}/metrics`;
  const answered = async () =>
    Number(/_requests_total\{class="4xx"\} (\d+)/.exec(await (await fetch(metrics)).text())?.[1] ?? 0);
  const socket = connect({ port: running.port, host: '127.0.0.1' });
  socket.on('error', () => socket.destroy());
  try {
    socket.pause();
    // Thirty megabytes of answers: far more than the buffers of the kernel hold.
    const requests = 80_000;
    for (let written = 0; written < requests; written += 1000) socket.write(REQUESTS);
    const before = await standsStill(answered);
    expect(before).toBeLessThan(requests * 0.75);
    socket.on('data', () => undefined);
    socket.resume();
    await expect.poll(answered, { timeout: 60_000, interval: 200 }).toBeGreaterThan(before + 5000);
  } finally {
    socket.destroy();
    await running.close();
  }
}, 150_000);

test('an instance that sends interim responses without end is not read on while the client takes none', async () => {
  const hint = `HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\nLink: </${'a'.repeat(4000)}>\r\n\r\n`;
  const hints = 8192;
  let sent = 0;
  const upstream = await startUpstream(async ({ socket }) => {
    const piece = Buffer.from(hint.repeat(64));
    for (let left = hints; left > 0; left -= 64) {
      await new Promise((resolve) => socket.write(piece, resolve));
      sent += 64;
    }
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  const limits = { stallMs: 600_000 };
  const running = await startGateway([route([target([upstream.port], { timeoutMs: 600_000 })])], { limits });
  const socket = connect({ port: running.port, host: '127.0.0.1' });
  try {
    socket.write(`GET / HTTP/1.1\r\n${HOST}\r\n`);
    socket.pause();
    expect(await standsStill(() => sent)).toBeLessThan(hints * 0.9);
    let begun = 0;
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      begun += text.split('103 Early Hints\r\nLink: <').length - 1;
      text = text.slice(-23);
    });
    socket.resume();
    await expect.poll(() => text.endsWith('\r\n\r\nok'), { timeout: 60_000 }).toBe(true);
    expect(begun).toBe(hints);
  } finally {
    socket.destroy();
    await running.close();
    await upstream.close();
  }
}, 150_000);
