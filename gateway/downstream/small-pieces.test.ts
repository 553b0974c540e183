import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { route, startGateway, target } from '../harness/gateway.ts';
import { ClientInput } from './input.ts';
import { SmallPieces } from './small-pieces.ts';

test('a turn passes on a few, and the next turns the rest in the order in which it came', async () => {
  const pieces = new SmallPieces();
  const passed: number[] = [];
  const offer = (from: number, to: number) => {
    let atOnce = 0;
    for (let index = from; index < to; index += 1) {
      if (pieces.mayPass({ passOn: () => passed.push(index) })) atOnce += 1;
    }
    return atOnce;
  };
  expect(offer(0, 100)).toBe(8);
  expect(passed).toEqual([]);
  await turn();
  expect(passed).toHaveLength(8);
  // Who comes while others wait stands behind them.
  expect(offer(100, 110)).toBe(0);
  for (let turns = 0; turns < 20; turns += 1) await turn();
  expect(passed).toEqual(Array.from({ length: 102 }, (_, index) => 8 + index));
  expect(offer(0, 40)).toBe(8);
});

test('what follows a piece that waits joins it, goes with it, and never overtakes it', async () => {
  const pieces = new SmallPieces();
  const read: string[] = [];
  const input: ClientInput = new ClientInput(new Socket(), pieces, {
    onData: (chunk) => {
      if (!input.delays(chunk)) read.push(chunk.toString('latin1'));
    },
  });
  const bring = (text: string) => {
    if (!input.delays(Buffer.from(text))) read.push(text);
    return read.splice(0);
  };
  /** Others use up this turn. */
  const crowd = () => {
    while (pieces.mayPass({ passOn: () => undefined }));
  };
  expect(bring('a')).toEqual(['a']);
  crowd();
  expect([bring('b'), bring('c')]).toEqual([[], []]);
  await expect.poll(() => read.splice(0), { timeout: 30_000 }).toEqual(['bc']);
  // Large ones do not wait, and neither does what is no longer small together.
  const large = 'x'.repeat(2000);
  crowd();
  expect(bring(large)).toEqual([large]);
  expect(bring('d')).toEqual([]);
  expect(bring(large)).toEqual([`d${large}`]);
  // The client has ended its side: there is nothing more to wait for.
  crowd();
  expect(bring('e')).toEqual([]);
  input.passOn();
  expect(read.splice(0)).toEqual(['e']);
  // The connection is gone.
  crowd();
  expect(bring('f')).toEqual([]);
  input.clear();
  for (let turns = 0; turns < 10; turns += 1) await turn();
  expect(read).toEqual([]);
});

test('bodies that trickle in many pieces at once come whole and in order, and those who leave in the middle end alone', async () => {
  let begun = 0;
  const upstream = createServer((request, response) => {
    begun += 1;
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1');
    });
    request.on('end', () => response.end(body));
  });
  await once(upstream.listen(0, '127.0.0.1'), 'listening');
  const running = await startGateway([route([target([(upstream.address() as AddressInfo).port])])]);
  const clients = await Promise.all(
    Array.from({ length: 120 }, async (_, index) => {
      const socket = connect(running.port, '127.0.0.1');
      await once(socket, 'connect');
      const client = { socket, got: '', ended: once(socket, 'close').catch(() => null) };
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        client.got += chunk.toString('latin1');
      });
      socket.write(
        `POST / HTTP/1.1\r\nHost: hello.demo.localhost\r\nContent-Length: ${9 * 30}\r\nConnection: close\r\n\r\n`,
      );
      return { ...client, index, result: () => client.got };
    }),
  );
  const text = (index: number, piece: number) => `[${String(index).padStart(3)} ${String(piece).padStart(3)}]`;
  try {
    await expect.poll(() => begun, { timeout: 30_000 }).toBe(clients.length);
    for (let piece = 0; piece < 30; piece += 1) {
      for (const { socket, index } of clients) {
        if (index % 10 === 0 && piece === 15) socket.destroy();
        else if (!socket.destroyed) socket.write(text(index, piece));
      }
      // Some pieces come together and some in turns of their own.
      if (piece % 3 !== 0) await turn();
    }
    await Promise.all(clients.map(({ ended }) => ended));
    for (const { index, result } of clients) {
      const whole = Array.from({ length: 30 }, (_, piece) => text(index, piece)).join('');
      if (index % 10 !== 0) expect(result()).toMatch(/^HTTP\/1\.1 200 /);
      expect(result().endsWith(`\r\n\r\n${whole}`)).toBe(index % 10 !== 0);
    }
  } finally {
    for (const { socket } of clients) socket.destroy();
    await running.close();
    upstream.closeAllConnections();
    upstream.close();
  }
}, 60_000);
