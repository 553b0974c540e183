import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { systemClock } from '@skyrun/kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Link, openLink } from './link.ts';

let server: Server;
let link: Link;
let clients: Socket[];

beforeEach(async () => {
  // Says back whatever it hears.
  server = createServer((socket) => socket.on('error', () => socket.destroy()).pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  link = await openLink('test', (server.address() as AddressInfo).port, systemClock);
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  await link.close();
  server.close();
});

async function client(): Promise<{ socket: Socket; heard: () => string; closed: () => boolean }> {
  const socket = connect(link.port, '127.0.0.1');
  clients.push(socket);
  let text = '';
  let closed = false;
  socket.on('data', (piece) => {
    text += piece.toString();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    closed = true;
  });
  await new Promise<void>((resolve) => {
    socket.on('connect', () => resolve());
    // A link that is cut may reset it before it has seen itself connected.
    socket.on('close', () => resolve());
  });
  return { socket, heard: () => text, closed: () => closed };
}

it('passes everything on, in order, whatever happens to it on the way', async () => {
  const { socket, heard } = await client();
  const text = Array.from({ length: 20_000 }, (_, index) => `${index};`).join('');
  socket.write(text.slice(0, 10));
  link.set({ kind: 'slow', delayMs: 5, bytesPerSecond: 10_000_000 });
  socket.write(text.slice(10, 50_000));
  await systemClock.sleep(20);
  link.set({ kind: 'open' });
  socket.write(text.slice(50_000));
  await expect.poll(heard, { timeout: 10_000 }).toBe(text);
});

it('frozen, holds what was said, and delivers it late', async () => {
  const { socket, heard, closed } = await client();
  socket.write('before');
  await expect.poll(heard).toBe('before');
  link.set({ kind: 'frozen' });
  socket.write(' meanwhile');
  await systemClock.sleep(100);
  expect(heard()).toBe('before');
  link.set({ kind: 'open' });
  await expect.poll(heard).toBe('before meanwhile');
  expect(closed()).toBe(false);
});

it('cut, ends connections at once, those that come too, and lets new ones in when it is open again', async () => {
  const before = await client();
  link.set({ kind: 'cut' });
  await expect.poll(before.closed).toBe(true);
  const during = await client();
  await expect.poll(during.closed).toBe(true);
  link.set({ kind: 'open' });
  const after = await client();
  after.socket.write('hello');
  await expect.poll(after.heard).toBe('hello');
});

it('closes towards the server when the client has ended, and the other way round', async () => {
  const { socket, closed } = await client();
  socket.end('bye');
  await expect.poll(closed).toBe(true);
});
