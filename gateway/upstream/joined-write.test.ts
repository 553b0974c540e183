import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { JOINED_BYTES, JoinedWrite } from './joined-write.ts';

const opened: { destroy(): void }[] = [];

afterEach(() => {
  for (const one of opened.splice(0)) one.destroy();
});

/** Both ends of a connection; nobody reads the second yet. */
async function pair(): Promise<[writer: Socket, reader: Socket]> {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const writer = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true });
  const [reader] = (await once(server, 'connection')) as [Socket];
  if (writer.connecting) await once(writer, 'connect');
  opened.push(writer, reader, { destroy: () => server.close() });
  return [writer, reader];
}

async function readAll(reader: Socket, bytes: number): Promise<string> {
  let text = '';
  reader.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  reader.resume();
  await expect.poll(() => text.length, { timeout: 20_000 }).toBe(bytes);
  return text;
}

function send(message: JoinedWrite, socket: Socket, ...pieces: (string | Buffer)[]): boolean {
  message.begin();
  for (const piece of pieces) {
    if (typeof piece === 'string') message.text(piece);
    else message.bytes(piece, 0, piece.length);
  }
  return message.send(socket);
}

test('what is put together arrives in one piece, each message on its own connection', async () => {
  const message = new JoinedWrite();
  const [[first, firstEnd], [second, secondEnd]] = await Promise.all([pair(), pair()]);
  expect(send(message, first, 'HTTP/1.1 200 OK\r\n', '', 'X: \xe9\r\n\r\n', Buffer.from([0, 255, 13]))).toBe(true);
  expect(send(message, second, 'a')).toBe(true);
  expect(send(message, first, Buffer.from('b'), 'c')).toBe(true);
  expect(await readAll(firstEnd, 30)).toBe('HTTP/1.1 200 OK\r\nX: \xe9\r\n\r\n\0\xff\rbc');
  expect(await readAll(secondEnd, 1)).toBe('a');
});

test('what a socket has not handed to the kernel is not written over by what others send', async () => {
  const message = new JoinedWrite();
  const [[slow, slowEnd], [fast, fastEnd]] = await Promise.all([pair(), pair()]);
  let expected = '';
  // Until nobody takes any more, and then some.
  for (let index = 0, waiting = 0; waiting < 5; index += 1) {
    const text = `${index},`.repeat(600).slice(0, JOINED_BYTES);
    send(message, slow, text);
    expected += text;
    send(message, fast, '-'.repeat(JOINED_BYTES));
    fastEnd.read();
    fastEnd.resume();
    if (slow.writableLength > 0) waiting += 1;
    if (index % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(slow.writableLength).toBeGreaterThan(0);
  expect((await readAll(slowEnd, expected.length)) === expected).toBe(true);
});

test('a message of every length up to the bound comes whole, and one beyond it is a fault that spoils nothing', async () => {
  const message = new JoinedWrite();
  const [writer, reader] = await pair();
  let expected = '';
  for (let length = 1; length <= JOINED_BYTES; length += length < 600 ? 1 : 97) {
    const text = String.fromCharCode(97 + (length % 26)).repeat(length);
    send(message, writer, text);
    expected += text;
  }
  expect(() => send(message, writer, 'x'.repeat(JOINED_BYTES), 'y')).toThrow(RangeError);
  send(message, writer, 'end');
  expected += 'end';
  expect((await readAll(reader, expected.length)) === expected).toBe(true);
});

test('a message that was begun and never sent is not the beginning of the next', async () => {
  const message = new JoinedWrite();
  const [writer, reader] = await pair();
  message.begin();
  message.text('lost');
  send(message, writer, 'sent');
  expect(await readAll(reader, 4)).toBe('sent');
});
