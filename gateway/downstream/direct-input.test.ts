import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { readDirectly, stopReadingDirectly } from './direct-input.ts';

/** Both ends of a connection; `close` ends what it takes. */
async function pair(): Promise<{ near: Socket; far: Socket; close: () => Promise<void> }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [near]: Socket[] = await once(server, 'connection');
  if (near === undefined) throw new Error('a connection was made');
  const close = async () => {
    near.destroy();
    far.destroy();
    server.close();
    await once(server, 'close');
  };
  return { near, far, close };
}

/** Reads `socket` directly; returns what else its owner was told of, in order. */
function own(socket: Socket, onData: (chunk: Buffer) => void): string[] {
  const told: string[] = [];
  readDirectly(socket, {
    onData,
    onEnd: () => told.push('end'),
    onError: () => told.push('error'),
    onClose: () => told.push('close'),
  });
  return told;
}

test('the owner is told once of the end, after all that came before it was read, and then of the close', async () => {
  const { near, far, close } = await pair();
  try {
    const told = own(near, (chunk) => told.push(`${chunk}`));
    near.pause();
    far.end('last');
    await expect.poll(() => near.readableLength, { timeout: 10_000 }).toBe(4);
    expect(told).toEqual([]);
    near.resume();
    await expect.poll(() => told, { timeout: 10_000 }).toEqual(['last', 'end']);
    near.destroy(new Error('a fault'));
    await expect.poll(() => told, { timeout: 10_000 }).toEqual(['last', 'end', 'error', 'close']);
  } finally {
    await close();
  }
});

test('all comes once and in order, however often the reading pauses, and then the end', async () => {
  const { near, far, close } = await pair();
  try {
    const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 31 + (index >> 9)) & 255));
    const got: Buffer[] = [];
    let whilePaused = 0;
    own(near, (chunk) => {
      if (near.isPaused()) whilePaused += 1;
      got.push(chunk);
      if (got.length % 3 !== 0) return;
      near.pause();
      // At once, after what waits in this turn, and after more has come from the network.
      const resume = () => near.resume();
      if (got.length % 9 === 0) resume();
      else if (got.length % 6 === 0) setImmediate(resume);
      else setTimeout(resume, 3);
    });
    const ended = once(near, 'end');
    for (let at = 0; at < sent.length; at += 50_000) far.write(sent.subarray(at, at + 50_000));
    far.end();
    await ended;
    expect(Buffer.concat(got).equals(sent)).toBe(true);
    expect(whilePaused).toBe(0);
    expect(got.length).toBeGreaterThan(9);
  } finally {
    await close();
  }
});

test('a paused reader holds the sender up and is not given anything', async () => {
  const { near, far, close } = await pair();
  try {
    let bytes = 0;
    let full = true;
    own(near, (chunk) => {
      bytes += chunk.length;
      if (full) near.pause();
    });
    const sent = 64 * 1_048_576;
    far.write(Buffer.alloc(sent));
    far.end();
    await expect.poll(() => bytes, { timeout: 10_000 }).toBeGreaterThan(0);
    const first = bytes;
    // More than a pause is read only as far as the stream's queue takes it.
    await expect.poll(() => near.readableLength, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(bytes).toBe(first);
    expect(near.bytesRead).toBeLessThan(1_048_576);
    full = false;
    const ended = once(near, 'end');
    near.resume();
    await ended;
    expect(bytes).toBe(sent);
  } finally {
    await close();
  }
});

test('after it was given up, who reads next gets everything', async () => {
  const { near, far, close } = await pair();
  try {
    const got: string[] = [];
    own(near, (chunk) => got.push(`first ${chunk}`));
    far.write('a');
    await expect.poll(() => got, { timeout: 10_000 }).toEqual(['first a']);
    near.pause();
    stopReadingDirectly(near);
    near.unshift(Buffer.from('a'));
    far.write('b');
    let rest = '';
    near.on('data', (chunk: Buffer) => {
      rest += chunk.toString();
    });
    near.resume();
    await expect.poll(() => rest, { timeout: 10_000 }).toBe('ab');
    expect(got).toHaveLength(1);
  } finally {
    await close();
  }
});
