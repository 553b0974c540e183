import type { Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type RecordedConnection, startUpstream } from '../harness/upstream.ts';
import type { ChunkScanner } from '../http1/chunked.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { Carrier, RequestKind } from './carrier.ts';
import { PlainUpstreams } from './plain-upstreams.ts';
import type { ReadBytes } from './read-buffer.ts';
import type { Loss, ResponseReceiver } from './response-receiver.ts';

const TEST_MS = 120_000;
const now = () => performance.now();

const SHAPES = ['length', 'chunked', 'empty', 'none', 'not-modified', 'interim', 'large'] as const;
type Shape = (typeof SHAPES)[number];

/** What the instance says to a request; its path names the shape and the mark. */
function answer(method: string, mark: string, shape: Shape): string {
  const body = shape === 'large' ? mark.repeat(20_000) : `body of ${mark}`;
  const head = (status: string, more: string) => `HTTP/1.1 ${status}\r\nX-Mark: ${mark}\r\n${more}\r\n`;
  const length = head('200 OK', `Content-Length: ${body.length}\r\n`) + (method === 'HEAD' ? '' : body);
  switch (shape) {
    case 'chunked': {
      const chunks = `${body.length.toString(16)}\r\n${body}\r\n3;x=y\r\nend\r\n0\r\nX-Sum: ${mark}\r\n\r\n`;
      return head('200 OK', 'Transfer-Encoding: chunked\r\n') + (method === 'HEAD' ? '' : chunks);
    }
    case 'empty':
      return head('200 OK', 'Content-Length: 0\r\n');
    case 'none':
      return head('204 No Content', '');
    case 'not-modified':
      return head('304 Not Modified', `Content-Length: ${body.length}\r\n`);
    case 'interim':
      return `HTTP/1.1 103 Early Hints\r\nLink: </${mark}>\r\n\r\n${length}`;
    default:
      return length;
  }
}

function bodyOf(method: string, mark: string, shape: Shape): string {
  const text = answer(method, mark, shape);
  return text.slice(text.indexOf('\r\n\r\n', shape === 'interim' ? text.indexOf('X-Mark') : 0) + 4);
}

interface Outcome {
  readonly mark: string;
  readonly body: string;
  readonly lost: Loss | null;
}

/** Takes a response as a client does that is behind: it reads the buffer only later, and writes over what is spare. */
class LateClient implements ResponseReceiver {
  readonly method: string;
  readonly done: Promise<Outcome>;
  carrier: Carrier | null = null;
  #text: string;
  #late: boolean;
  #mark = '';
  #body = '';
  #pending: Buffer[] = [];
  #ending: boolean | null = null;
  #settled = false;
  #resolve: (outcome: Outcome) => void = () => undefined;

  constructor(method: string, text: string, late: boolean) {
    this.method = method;
    this.#text = text;
    this.#late = late;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  onConnected(): void {
    this.carrier?.writeText(this.#text, '', '');
  }

  onInterim(): void {
    expect(this.#mark).toBe('');
  }

  onSwitch(): boolean {
    return false;
  }

  onResponse({ fields }: ResponseHead): void {
    this.#mark = /X-Mark: (\S+)/.exec(fields.kept)?.[1] ?? '';
  }

  onContent(bytes: ReadBytes, start: number, end: number, spare = 0): void {
    const over = Math.min(spare, 60);
    this.#take(bytes.keepBehind('#'.repeat(over), start, end).subarray(over));
  }

  onChunked(bytes: ReadBytes, start: number, end: number, chunks: ChunkScanner, spare = 0): number {
    const stop = bytes.scan(chunks, start, end);
    if (chunks.phase !== 'fault') this.onContent(bytes, start, stop, spare);
    return stop;
  }

  #take(piece: Buffer): void {
    if (this.#late) this.#pending.push(piece);
    else this.#body += piece.toString('latin1');
    if (this.#pending.length === 1) setTimeout(() => this.#flush(), 1);
  }

  #flush(): void {
    for (const piece of this.#pending) this.#body += piece.toString('latin1');
    this.#pending = [];
    if (this.#settled) return;
    if (this.#ending !== null) this.#complete(this.#ending);
    else this.carrier?.resume();
  }

  onTrailer(): void {
    throw new Error('HTTP/1.1 has its trailers in the body');
  }

  onTunnelData(): void {
    throw new Error('it is no tunnel');
  }

  onTunnelEnd(): void {
    throw new Error('it is no tunnel');
  }

  onResponseEnd(reusable: boolean): void {
    if (this.#pending.length === 0) this.#complete(reusable);
    else this.#ending = reusable;
  }

  #complete(reusable: boolean): void {
    this.#settled = true;
    if (reusable) this.carrier?.release(now());
    else this.carrier?.destroy();
    this.#resolve({ mark: this.#mark, body: this.#body, lost: null });
  }

  onReadEnd(): boolean {
    return this.#pending.length === 0;
  }

  onUpstreamDrain(): void {
    // Nothing more is sent.
  }

  onLost(loss: Loss): void {
    this.#settled = true;
    const pending = this.#pending.map((piece) => piece.toString('latin1')).join('');
    this.#resolve({ mark: this.#mark, body: this.#body + pending, lost: loss });
  }

  /** The client goes away. */
  leave(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.carrier?.destroy();
    this.#resolve({ mark: 'left', body: '', lost: null });
  }
}

interface Asked {
  readonly shape: Shape;
  readonly method: 'GET' | 'HEAD';
  readonly late: boolean;
  readonly leaves: boolean;
}

/** An instance that answers in pieces, and breaks connections: the n-th after so many bytes following its first response. */
async function startBreaking() {
  let breaks: (number | null)[] = [];
  let pieces: readonly number[] = [];
  const states = new Map<Socket, { seen: number; out: string; sent: number; limit: number; pumping: boolean }>();
  const upstream = await startUpstream((connection: RecordedConnection) => {
    const { socket } = connection;
    const state = states.get(socket) ?? { seen: 0, out: '', sent: 0, limit: Number.POSITIVE_INFINITY, pumping: false };
    if (!states.has(socket)) {
      states.set(socket, state);
      state.limit = breaks.shift() ?? Number.POSITIVE_INFINITY;
    }
    const asked = [...connection.received.matchAll(/(GET|HEAD) \/([a-z-]+)\/(\S+) HTTP\/1\.1\r\nHost: x\r\n\r\n/g)];
    for (const [, method = '', shape = '', mark = ''] of asked.slice(state.seen)) {
      const first = state.seen === 0;
      const text = answer(method, mark, SHAPES.find((one) => one === shape) ?? 'length');
      state.seen += 1;
      state.out += text;
      if (first) state.limit += text.length;
    }
    const pump = () => {
      const size = 1 + (pieces[state.sent % Math.max(1, pieces.length)] ?? 100_000);
      const end = Math.min(state.out.length, state.sent + size, state.limit);
      socket.write(state.out.slice(state.sent, end), 'latin1');
      state.sent = end;
      if (end >= state.limit) {
        state.pumping = false;
        socket.destroySoon();
      } else if (end < state.out.length) setImmediate(pump);
      else state.pumping = false;
    };
    if (!state.pumping) {
      state.pumping = true;
      pump();
    }
  });
  return {
    upstream,
    script(limits: (number | null)[], sizes: readonly number[]) {
      breaks = limits;
      pieces = sizes;
      states.clear();
      upstream.connections.length = 0;
    },
  };
}

const KIND = { contentLength: 0, framing: 'none', upgrade: '', expect: 'nothing' } as const;
let count = 0;

/** Asks until there is an answer or a response was broken off, as an exchange does. */
async function ask(
  upstreams: PlainUpstreams,
  { shape, method, late, leaves }: Asked,
): Promise<Outcome & { expected: string }> {
  count += 1;
  const mark = `m${count}`;
  const kind: RequestKind = { line: { method }, fields: KIND };
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const client = new LateClient(method, `${method} /${shape}/${mark} HTTP/1.1\r\nHost: x\r\n\r\n`, late);
    const carrier = upstreams.open(kind, now());
    client.carrier = carrier;
    carrier.take(client);
    if (carrier.connected) client.onConnected();
    if (leaves) setTimeout(() => client.leave(), count % 4);
    const outcome = await client.done;
    if (outcome.mark === 'left') return { ...outcome, expected: 'left' };
    if (outcome.lost === null || outcome.lost.answered) return { ...outcome, expected: mark };
    expect(outcome).toMatchObject({ mark: '', body: '' });
  }
  throw new Error('it was lost again and again');
}

/** Its own response, whole, or the beginning of it. */
function check({ shape, method }: Asked, { mark, body, lost, expected }: Outcome & { expected: string }): void {
  if (expected === 'left') return;
  const whole = bodyOf(method, expected, shape);
  if (lost === null) expect({ mark, body }).toEqual({ mark: expected, body: whole });
  else {
    expect(['', expected]).toContain(mark);
    expect(whole.startsWith(body)).toBe(true);
  }
}

async function round(
  instance: Awaited<ReturnType<typeof startBreaking>>,
  asked: readonly Asked[],
  options: { depth: number; limits: (number | null)[]; pieces: readonly number[] },
): Promise<{ broken: number; shared: number }> {
  instance.script(options.limits, options.pieces);
  const upstreams = new PlainUpstreams({ address: '127.0.0.1', port: instance.upstream.port, now });
  upstreams.follow({
    ...POLICY,
    pipelining: { depth: options.depth, heldUpMs: 10_000 },
  });
  const first: Asked = { shape: 'length', method: 'GET', late: false, leaves: false };
  check(first, await ask(upstreams, first));
  const outcomes = await Promise.all(asked.map((one) => ask(upstreams, one)));
  outcomes.forEach((outcome, index) => {
    check(asked[index] ?? first, outcome);
  });
  upstreams.close();
  return {
    broken: outcomes.filter(({ lost }) => lost !== null).length,
    shared: (instance.upstream.connections[0]?.received.match(/HTTP\/1\.1/g)?.length ?? 0) - 1,
  };
}

const POLICY = {
  invoker: 'public' as const,
  allow: [],
  deny: [],
  rateLimits: [],
  waitingPage: false,
  slowStartMs: 0,
};

test('a connection that breaks at any byte: each request gets its own response, and at most one is broken off', {
  timeout: TEST_MS,
}, async () => {
  const instance = await startBreaking();
  const asked: Asked[] = SHAPES.filter((shape) => shape !== 'large').map((shape, index) => ({
    shape,
    method: index % 3 === 2 ? 'HEAD' : 'GET',
    late: index % 2 === 1,
    leaves: false,
  }));
  const total = asked.reduce((sum, { shape, method }) => sum + answer(method, 'm1000', shape).length, 0);
  try {
    count = 999;
    for (let limit = 1; limit <= total; limit += 1) {
      const { broken, shared } = await round(instance, asked, { depth: 8, limits: [limit], pieces: [limit % 40] });
      expect(shared).toBe(asked.length);
      expect(broken).toBeLessThanOrEqual(1);
    }
  } finally {
    await instance.upstream.close();
  }
});

test('whatever is asked, split, broken, left or taken late: no response reaches another request, none is changed', {
  timeout: TEST_MS,
}, async () => {
  const instance = await startBreaking();
  const asked = fc.record({
    shape: fc.constantFrom(...SHAPES),
    method: fc.constantFrom('GET' as const, 'GET' as const, 'HEAD' as const),
    late: fc.boolean(),
    leaves: fc.boolean(),
  });
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(asked, { minLength: 1, maxLength: 24 }),
        fc.integer({ min: 2, max: 16 }),
        fc.array(fc.option(fc.nat(3000)), { maxLength: 3 }),
        fc.array(fc.nat(5000), { maxLength: 5 }),
        async (list, depth, limits, pieces) => {
          await round(instance, list, { depth, limits, pieces });
        },
      ),
      { numRuns: 150 },
    );
  } finally {
    await instance.upstream.close();
  }
});
