import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REQUEST_CASES } from './cases.ts';
import { ChunkScanner } from './chunked.ts';
import { HeadReader } from './head-reader.ts';
import { REQUEST_LIMITS } from './limits.ts';
import { parseRequestFields } from './request-fields.ts';
import { parseRequestLine } from './request-line.ts';

interface Verdict {
  readonly verdict: 'accept' | 'refuse' | 'incomplete';
  readonly method?: string;
  readonly target?: string;
  /** Bytes that belong to the request. */
  readonly length?: number;
}

/** Reads one request out of pieces, as a connection does. */
function read(pieces: readonly Buffer[]): Verdict {
  const reader = new HeadReader({
    limits: REQUEST_LIMITS,
    skipEmptyLine: true,
    firstLineFault: (text, start) => {
      const line = parseRequestLine(text, start);
      return typeof line === 'string' ? line : null;
    },
  });
  const chunks = new ChunkScanner();
  let body: { framing: string; remaining: number } | null = null;
  let method = '';
  let target = '';
  let length = 0;
  for (const piece of pieces) {
    let offset = 0;
    if (body === null) {
      const step = reader.push(piece, 0, piece.length);
      if (step === 'fault') return { verdict: 'refuse' };
      if (step === 'more') {
        length += piece.length;
        continue;
      }
      const line = parseRequestLine(reader.text, reader.start);
      if (typeof line === 'string') return { verdict: 'refuse' };
      const fields = parseRequestFields(reader.text, line.end);
      if (typeof fields === 'string') return { verdict: 'refuse' };
      if (line.minor === 0 && fields.framing === 'chunked') return { verdict: 'refuse' };
      if (line.authority !== null && line.authority.toLowerCase() !== fields.authority.toLowerCase())
        return { verdict: 'refuse' };
      method = line.method;
      target = line.target;
      body = { framing: fields.framing, remaining: fields.contentLength };
      offset = reader.bodyStart;
    }
    length += offset;
    if (body.framing === 'chunked') {
      const end = chunks.scan(piece, offset, piece.length);
      if (chunks.phase === 'fault') return { verdict: 'refuse' };
      length += end - offset;
      if (chunks.done) return { verdict: 'accept', method, target, length };
    } else {
      const take = Math.min(body.remaining, piece.length - offset);
      body.remaining -= take;
      length += take;
      if (body.remaining === 0) return { verdict: 'accept', method, target, length };
    }
  }
  return { verdict: 'incomplete' };
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const place of [...places, bytes.length]) {
    if (place > from) pieces.push(bytes.subarray(from, place));
    from = Math.max(from, place);
  }
  return pieces;
}

/** Thousands of readings, hundreds of exchanges: seconds, or many of them beside other work. */
const TEST_MS = 120_000;

const tail = fc.constantFrom('', 'GET /next HTTP/1.1\r\n', '\r\n', '\0', 'X');
const mutated = fc
  .record({
    bytes: fc.constantFrom(...REQUEST_CASES.map((one) => one.bytes).filter((bytes) => bytes.length < 1500)),
    tail,
    edits: fc.array(
      fc.record({
        at: fc.nat(2000),
        remove: fc.nat(3),
        insert: fc.constantFrom(
          '',
          '\r',
          '\n',
          '\r\n',
          ' ',
          '\t',
          ':',
          ';',
          '\0',
          '0',
          'a',
          'chunked',
          'Content-Length: 1\r\n',
          '\xff',
        ),
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ bytes, tail: end, edits }) => {
    let text = bytes + end;
    for (const { at, remove, insert } of edits) {
      const place = at % (text.length + 1);
      text = text.slice(0, place) + insert + text.slice(place + remove);
    }
    return Buffer.from(text, 'latin1');
  });

test('any split of the same bytes gives the same decision', { timeout: TEST_MS }, () => {
  fc.assert(
    fc.property(mutated, fc.array(fc.nat(3000), { maxLength: 12 }), (bytes, cuts) => {
      const whole = read([bytes]);
      const pieces = read(split(bytes, cuts));
      // A fault can show before the rest of a head is there, never the other way round.
      if (whole.verdict === 'incomplete' || pieces.verdict === 'incomplete') {
        expect([whole.verdict, pieces.verdict]).not.toContain('accept');
      } else expect(pieces).toEqual(whole);
    }),
    { numRuns: 5000 },
  );
});

let nodePort: number;
let close: () => Promise<void>;

beforeAll(async () => {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end(`${request.method} ${request.url}`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  nodePort = (server.address() as AddressInfo).port;
  close = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
});
afterAll(() => close());

/** Only for a request that Node takes for unfinished: it answers everything else at once, and a busy machine late. */
const UNANSWERED_MS = 10_000;
/** A refusal, or a head and the first of its body; an interim response comes before either. */
const ANSWERED = /HTTP\/1\.1 (4\d\d|200 [\s\S]*\r\n\r\n.)/;
/** What Node's own parser makes of the bytes. */
function askNode(bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(nodePort, '127.0.0.1', () => socket.write(bytes));
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    const timer = setTimeout(finish, UNANSWERED_MS);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (ANSWERED.test(text)) finish();
    });
    socket.on('close', finish);
    socket.on('error', finish);
  });
}

test('what is accepted here, Node reads as the same request', { timeout: TEST_MS }, async () => {
  await fc.assert(
    fc.asyncProperty(mutated, async (bytes) => {
      const ours = read([bytes]);
      if (ours.verdict !== 'accept') return;
      // Node knows a fixed list of methods; that is its limit, not the request's.
      if (!/^(GET|POST|OPTIONS|PROPFIND|M-SEARCH)$/.test(ours.method ?? '')) return;
      const theirs = await askNode(bytes.subarray(0, ours.length));
      expect(theirs).toContain('200 OK');
      expect(theirs).toContain(`${ours.method} `);
    }),
    { numRuns: 300 },
  );
});
