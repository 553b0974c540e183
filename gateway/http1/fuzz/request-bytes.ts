import fc from 'fast-check';
import { REQUEST_CASES } from '../cases.ts';

/** Longer cases are about limits; so many random readings of them would test little else. */
const MOST_BYTES = 1500;
const [accepted, refused] = (['accept', 'refuse'] as const).map((wanted) =>
  REQUEST_CASES.filter(({ bytes, verdict }) => verdict === wanted && bytes.length < MOST_BYTES).map(
    ({ bytes }) => bytes,
  ),
);

/** What makes parsers disagree: line ends, white space, framing said twice, otherwise, or half. */
const TROUBLE = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '"',
  '\\',
  '\0',
  '0',
  'a',
  '-',
  '+',
  '\x0b',
  '\x80',
  '\xff',
  'chunked',
  'Content-Length: 1\r\n',
  'Content-Length: 0\r\n',
  'content-length:3\r\n',
  'Content-Length: 1, 1\r\n',
  'Content-Length : 4\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'transfer-encoding:\tchunked \r\n',
  'Transfer-Encoding: chunked, chunked\r\n',
  'Transfer_Encoding: chunked\r\n',
  'Host: hello.demo.localhost\r\n',
  'Host: other\r\n',
  'Connection: content-length\r\n',
  'Connection: keep-alive, transfer-encoding\r\n',
  'Expect: 100-continue\r\n',
  'Upgrade: websocket\r\n',
  ' folded\r\n',
  '0\r\n\r\n',
  '3\r\nabc\r\n',
  '1;a=b\r\nx\r\n',
  ';a="b\r\n"',
  'GET /inner HTTP/1.1\r\nHost: hello.demo.localhost\r\n\r\n',
  ' HTTP/1.1',
  ' HTTP/1.0',
  'http://hello.demo.localhost/',
] as const;

const FIELDS = [
  'Connection: keep-alive',
  'Connection: x-one',
  'X-One: 1',
  'X-Empty:',
  'X-Forwarded-For: 9.9.9.9',
  'X-Request-Id: abc',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'TE: trailers',
  'Trailer: X-Sum',
  'Cookie: a=b; c=d',
  'Authorization: Bearer a.b.c',
  'Accept: */*',
] as const;
const HOSTS = [
  'Host: hello.demo.localhost',
  'Host: hello.demo.localhost:80',
  'host:\tHELLO.demo.localhost \t',
] as const;
const LINES = ['GET /a HTTP/1.1', 'POST /b?c=d HTTP/1.1', 'OPTIONS * HTTP/1.1', 'GET /d HTTP/1.0'] as const;
/** Fields that frame a body, and a body that they frame. */
const FRAMED: readonly (readonly [string, string])[] = [
  ['', ''],
  ['Content-Length: 0\r\n', ''],
  ['Content-Length: 3\r\n', 'abc'],
  ['Content-Length: 03\r\n', '\r\n\r'],
  ['Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n'],
  ['Transfer-Encoding: chunked\r\n', '3;x=y\r\nabc\r\n00\r\nX-Sum: 1\r\n\r\n'],
  ['Transfer-Encoding: Chunked\r\n', '03;a="\\"b"\r\na\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n'],
];

/** A request made of parts that are each right. */
const composed = fc
  .record({
    line: fc.constantFrom(...LINES),
    host: fc.constantFrom(...HOSTS),
    before: fc.uniqueArray(fc.constantFrom(...FIELDS), { maxLength: 3 }),
    framed: fc.constantFrom(...FRAMED),
    after: fc.uniqueArray(fc.constantFrom(...FIELDS), { maxLength: 2 }),
  })
  .map(({ line, host, before, framed: [framing, body], after }) => {
    const fields = (list: readonly string[]) => list.map((one) => `${one}\r\n`).join('');
    return `${line}\r\n${fields([...before, host])}${framing}${fields(after)}\r\n${body}`;
  });

const edit = fc.record({
  at: fc.nat(4000),
  remove: fc.nat(3),
  insert: fc.oneof(
    { arbitrary: fc.constantFrom('', ...TROUBLE), weight: 6 },
    fc.nat(255).map((code) => String.fromCharCode(code)),
  ),
});

const request = fc.oneof(
  { arbitrary: composed, weight: 4 },
  { arbitrary: fc.constantFrom(...(accepted ?? [])), weight: 4 },
  { arbitrary: fc.constantFrom(...(refused ?? [])), weight: 1 },
);

/** The bytes of a connection: a few requests one after the other, some repeated, and a few edits anywhere. */
export const requestBytes: fc.Arbitrary<Buffer> = fc
  .record({
    requests: fc.array(request, { minLength: 1, maxLength: 3 }),
    repeated: fc.boolean(),
    kept: fc.boolean(),
    tail: fc.constantFrom('', 'GET /next HTTP/1.1\r\n', '\r\n', '\0', 'X'),
    edits: fc.oneof(fc.constant([]), fc.array(edit, { minLength: 1, maxLength: 3 })),
  })
  .map(({ requests, repeated, kept, tail, edits }) => {
    const all = (repeated ? [...requests, ...requests] : requests).join('');
    let text = (kept ? all.replaceAll('Connection: close\r\n', '') : all) + tail;
    for (const { at, remove, insert } of edits) {
      const place = at % (text.length + 1);
      text = text.slice(0, place) + insert + text.slice(place + remove);
    }
    return Buffer.from(text, 'latin1');
  });

/** Where the bytes are cut; taken modulo their length. */
export const cuts: fc.Arbitrary<number[]> = fc.array(fc.nat(6000), { maxLength: 12 });

export function cutInto(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const place of [...sorted, bytes.length]) {
    if (place > from) pieces.push(bytes.subarray(from, place));
    from = Math.max(from, place);
  }
  return pieces;
}
