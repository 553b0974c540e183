/**
 * What an instance may answer, byte by byte, and what the client must get.
 * `whole`: a complete response with this status and body. `bad`: 502, because nothing of it was passed on yet.
 * `cut`: the response began and must not look whole: the connection is reset.
 */
export interface ResponseCase {
  readonly name: string;
  readonly bytes: string;
  /** The instance ends the connection after the bytes. */
  readonly ends?: boolean;
  readonly method?: string;
  readonly expected:
    | { readonly kind: 'whole'; readonly status: number; readonly body: string }
    | { readonly kind: 'bad' | 'cut' };
}

const whole = (status: number, body: string) => ({ kind: 'whole' as const, status, body });
const bad = { kind: 'bad' as const };
const cut = { kind: 'cut' as const };
const ok = 'HTTP/1.1 200 OK\r\n';

export const RESPONSE_CASES: readonly ResponseCase[] = [
  { name: 'Content-Length', bytes: `${ok}Content-Length: 3\r\n\r\nabc`, expected: whole(200, 'abc') },
  { name: 'Content-Length zero', bytes: `${ok}Content-Length: 0\r\n\r\n`, expected: whole(200, '') },
  {
    name: 'chunked',
    bytes: `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    expected: whole(200, 'abc'),
  },
  {
    name: 'chunked with trailer',
    bytes: `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n`,
    expected: whole(200, 'abc'),
  },
  { name: 'ended by closing', bytes: `${ok}\r\nabc`, ends: true, expected: whole(200, 'abc') },
  { name: 'ended by closing, HTTP/1.0', bytes: 'HTTP/1.0 200 OK\r\n\r\nabc', ends: true, expected: whole(200, 'abc') },
  { name: 'ended by closing, empty', bytes: `${ok}\r\n`, ends: true, expected: whole(200, '') },
  { name: 'no reason phrase', bytes: 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', expected: whole(200, '') },
  { name: 'no space after status', bytes: 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', expected: whole(200, '') },
  { name: '204', bytes: 'HTTP/1.1 204 No Content\r\n\r\n', expected: whole(204, '') },
  { name: '204 with length', bytes: 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n', expected: whole(204, '') },
  {
    name: '304 with length',
    bytes: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
    expected: whole(304, ''),
  },
  { name: 'HEAD with length', method: 'HEAD', bytes: `${ok}Content-Length: 9\r\n\r\n`, expected: whole(200, '') },
  {
    name: 'HEAD with chunked',
    method: 'HEAD',
    bytes: `${ok}Transfer-Encoding: chunked\r\n\r\n`,
    expected: whole(200, ''),
  },
  {
    name: '100 before',
    bytes: `HTTP/1.1 100 Continue\r\n\r\n${ok}Content-Length: 3\r\n\r\nabc`,
    expected: whole(200, 'abc'),
  },
  {
    name: '103 before',
    bytes: `HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${ok}Content-Length: 3\r\n\r\nabc`,
    expected: whole(200, 'abc'),
  },
  { name: '500', bytes: 'HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\nabc', expected: whole(500, 'abc') },
  {
    name: 'a whole response and bytes too many',
    bytes: `${ok}Content-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`,
    expected: whole(200, 'abc'),
  },
  { name: 'nothing', bytes: '', ends: true, method: 'POST', expected: bad },
  { name: 'half a head', bytes: `${ok}Content-`, ends: true, expected: bad },
  { name: 'not HTTP', bytes: 'SSH-2.0-OpenSSH_9.2\r\n', expected: bad },
  { name: 'HTTP/2.0', bytes: 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n', expected: bad },
  { name: 'status with letters', bytes: 'HTTP/1.1 2xx OK\r\nContent-Length: 0\r\n\r\n', expected: bad },
  { name: 'status with four digits', bytes: 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n', expected: bad },
  { name: 'status 099', bytes: 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n', expected: bad },
  { name: 'status 600', bytes: 'HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n', expected: bad },
  { name: 'bare LF', bytes: 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', expected: bad },
  { name: 'obs-fold', bytes: `${ok}X-A: a\r\n b\r\nContent-Length: 0\r\n\r\n`, expected: bad },
  { name: 'space before colon', bytes: `${ok}Content-Length : 0\r\n\r\n`, expected: bad },
  { name: 'control byte in value', bytes: `${ok}X-A: a\x00b\r\nContent-Length: 0\r\n\r\n`, expected: bad },
  { name: 'two lengths', bytes: `${ok}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`, expected: bad },
  { name: 'two different lengths', bytes: `${ok}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`, expected: bad },
  {
    name: 'length and chunked',
    bytes: `${ok}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    expected: bad,
  },
  { name: 'negative length', bytes: `${ok}Content-Length: -1\r\n\r\n`, expected: bad },
  { name: 'length list', bytes: `${ok}Content-Length: 3, 3\r\n\r\nabc`, expected: bad },
  { name: 'unknown coding', bytes: `${ok}Transfer-Encoding: gzip\r\n\r\n`, ends: true, expected: bad },
  { name: 'chunked twice', bytes: `${ok}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`, expected: bad },
  {
    name: 'chunked in HTTP/1.0',
    bytes: 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    expected: bad,
  },
  {
    name: '101 that nobody asked for',
    bytes: 'HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    expected: bad,
  },
  { name: 'head too long', bytes: `${ok}${`X-A: ${'b'.repeat(9000)}\r\n`.repeat(8)}\r\n`, expected: bad },
  { name: 'bad first chunk', bytes: `${ok}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, expected: bad },
  { name: 'short of its length', bytes: `${ok}Content-Length: 9\r\n\r\nabc`, ends: true, expected: cut },
  { name: 'no last chunk', bytes: `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`, ends: true, expected: cut },
  { name: 'ends inside a chunk', bytes: `${ok}Transfer-Encoding: chunked\r\n\r\n9\r\nabc`, ends: true, expected: cut },
  {
    name: 'last chunk without empty line',
    bytes: `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n`,
    ends: true,
    expected: cut,
  },
];
