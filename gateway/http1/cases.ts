/**
 * Raw requests and what a strict server must do with them, written from the clauses of RFC 9110 and RFC 9112.
 * `accept`: exactly one request reaches the instance. `refuse`: none does, the answer is 400 and the connection ends.
 */
export interface RequestCase {
  readonly clause: string;
  readonly name: string;
  readonly bytes: string;
  readonly verdict: 'accept' | 'refuse';
}

const HOST = 'Host: hello.demo.localhost\r\n';
const END = 'Connection: close\r\n\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';

function each(
  clause: string,
  verdict: RequestCase['verdict'],
  variants: Readonly<Record<string, string>>,
): RequestCase[] {
  return Object.entries(variants).map(([name, bytes]) => ({ clause, name, bytes, verdict }));
}

const hex = (code: number) => `0x${code.toString(16).padStart(2, '0')}`;
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

const line = (requestLine: string) => `${requestLine}\r\n${HOST}${END}`;
const field = (text: string) => `GET / HTTP/1.1\r\n${HOST}${text}${END}`;
const post = (fields: string, body: string) => `POST /p HTTP/1.1\r\n${HOST}${fields}${END}${body}`;
const chunks = (body: string) => post(CHUNKED, body);

const CONTROLS = [...range(0x00, 0x08), ...range(0x0b, 0x0c), ...range(0x0e, 0x1f), 0x7f];
const SEPARATORS = Array.from('"(),/;<=>?@[\\]{}', (character) => character.charCodeAt(0));
const named = (codes: readonly number[], make: (character: string) => string) =>
  Object.fromEntries(codes.map((code) => [hex(code), make(String.fromCharCode(code))]));

const lines: RequestCase[] = [
  ...each('9112 3 request line', 'accept', {
    origin: line('GET /a/b?c=d HTTP/1.1'),
    'percent encoded': line('GET /a%20b%2F HTTP/1.1'),
    'unusual characters that browsers send': line('GET /a|b[c]{d}^`"<> HTTP/1.1'),
    'rare method': line('PROPFIND / HTTP/1.1'),
    'method with punctuation': line('M-SEARCH / HTTP/1.1'),
    'asterisk for OPTIONS': line('OPTIONS * HTTP/1.1'),
    'one empty line before': `\r\n${line('GET / HTTP/1.1')}`,
    'HTTP/1.0': line('GET / HTTP/1.0'),
    'absolute form that agrees': line('GET http://hello.demo.localhost/x HTTP/1.1'),
    'absolute form that agrees but for case': line('GET http://HELLO.demo.localhost/x HTTP/1.1'),
    'absolute form with default port': line('GET http://hello.demo.localhost:80/x HTTP/1.1'),
    'absolute form without path': line('GET http://hello.demo.localhost?x=1 HTTP/1.1'),
    'absolute form with the default port of https': line('GET https://hello.demo.localhost:443/x HTTP/1.1'),
    'absolute form of OPTIONS for the server as a whole': line('OPTIONS http://hello.demo.localhost HTTP/1.1'),
    'long target': line(`GET /${'a'.repeat(8000)} HTTP/1.1`),
  }),
  ...each('9112 3 request line', 'refuse', {
    'HTTP/0.9': 'GET /\r\n\r\n',
    'HTTP/0.9 with host': `GET /\r\n${HOST}${END}`,
    'HTTP/2.0': line('GET / HTTP/2.0'),
    'HTTP/1.2': line('GET / HTTP/1.2'),
    'HTTP/0.9 named': line('GET / HTTP/0.9'),
    'HTTP/3': line('GET / HTTP/3'),
    'HTTP/1': line('GET / HTTP/1'),
    'HTTP/1.': line('GET / HTTP/1.'),
    'HTTP/1.10': line('GET / HTTP/1.10'),
    'HTTP/01.1': line('GET / HTTP/01.1'),
    'HTTP/+1.1': line('GET / HTTP/+1.1'),
    'lower case version': line('GET / http/1.1'),
    'version with a space': line('GET / HTTP /1.1'),
    'other protocol': line('GET / ICY/1.1'),
    'connection preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'no target': line('GET HTTP/1.1'),
    'two spaces before target': line('GET  / HTTP/1.1'),
    'two spaces before version': line('GET /  HTTP/1.1'),
    'space in target': line('GET /a b HTTP/1.1'),
    'space after version': line('GET / HTTP/1.1 '),
    'tab as separator': line('GET\t/ HTTP/1.1'),
    'tab before version': line('GET /\tHTTP/1.1'),
    'space before method': line(' GET / HTTP/1.1'),
    'two empty lines before': `\r\n\r\n${line('GET / HTTP/1.1')}`,
    'bare LF before': `\n${line('GET / HTTP/1.1')}`,
    'bare CR before': `\r${line('GET / HTTP/1.1')}`,
    'bare LF ends it': `GET / HTTP/1.1\n${HOST}${END}`,
    'bare CR ends it': `GET / HTTP/1.1\r${HOST}${END}`,
    'CR CR LF ends it': `GET / HTTP/1.1\r\r\n${HOST}${END}`,
    'bare LF everywhere': 'GET / HTTP/1.1\nHost: hello.demo.localhost\n\n',
    fragment: line('GET /#top HTTP/1.1'),
    'asterisk for GET': line('GET * HTTP/1.1'),
    'authority form for GET': line('GET hello.demo.localhost HTTP/1.1'),
    'relative target': line('GET index.html HTTP/1.1'),
    CONNECT: line('CONNECT hello.demo.localhost:80 HTTP/1.1'),
    'absolute form that disagrees': line('GET http://other.demo.localhost/ HTTP/1.1'),
    'absolute form with another port': line('GET http://hello.demo.localhost:81/ HTTP/1.1'),
    'absolute form with the default port of the other scheme': line('GET https://hello.demo.localhost:80/ HTTP/1.1'),
    'absolute form with user': line('GET http://me@hello.demo.localhost/ HTTP/1.1'),
    'absolute form without host': line('GET http:///x HTTP/1.1'),
    'another scheme': line('GET ftp://hello.demo.localhost/ HTTP/1.1'),
    'empty line only, twice': '\r\n\r\n\r\n',
    'method too long': line(`${'A'.repeat(33)} / HTTP/1.1`),
    'target too long': line(`GET /${'a'.repeat(17_000)} HTTP/1.1`),
    'non-ASCII target': line('GET /\xfc HTTP/1.1'),
    'TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  }),
  ...each(
    '9110 5.6.2 method is a token',
    'refuse',
    named(SEPARATORS, (c) => line(`G${c}T / HTTP/1.1`)),
  ),
  ...each(
    '9110 5.6.2 control byte in method',
    'refuse',
    named(CONTROLS, (c) => line(`G${c}T / HTTP/1.1`)),
  ),
  ...each(
    '9112 3.2 control byte in target',
    'refuse',
    named(CONTROLS, (c) => line(`GET /a${c}b HTTP/1.1`)),
  ),
];

const fields: RequestCase[] = [
  ...each('9112 5 field lines', 'accept', {
    plain: field('X-A: b\r\n'),
    'no space after colon': field('X-A:b\r\n'),
    'spaces and tabs around the value': field('X-A: \t b \t \r\n'),
    'empty value': field('X-A:\r\n'),
    'value of spaces': field('X-A:    \r\n'),
    'obs-text in value': field('X-A: \xe9\xff\r\n'),
    'tab inside value': field('X-A: a\tb\r\n'),
    'colon in value': field('X-A: a:b:c\r\n'),
    'token punctuation in name': field("X-!#$%&'*+.^_`|~: b\r\n"),
    'a hundred fields': `GET / HTTP/1.1\r\n${HOST}${'X-A: b\r\n'.repeat(98)}${END}`,
    'repeated field': field('X-A: 1\r\nX-A: 2\r\n'),
    'long value': field(`X-A: ${'b'.repeat(15_000)}\r\n`),
  }),
  ...each('9112 5.1 no space before the colon', 'refuse', {
    space: field('X-A : b\r\n'),
    tab: field('X-A\t: b\r\n'),
    'on Content-Length': post('Content-Length : 3\r\n', 'abc'),
    'on Transfer-Encoding': post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
    'on Host': `GET / HTTP/1.1\r\nHost : hello.demo.localhost\r\n${END}`,
  }),
  ...each('9112 5.2 obs-fold', 'refuse', {
    space: field('X-A: a\r\n b\r\n'),
    tab: field('X-A: a\r\n\tb\r\n'),
    'first line': `GET / HTTP/1.1\r\n X-A: b\r\n${HOST}${END}`,
    'folded Transfer-Encoding': post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
    'folded Content-Length': post('Content-Length:\r\n 3\r\n', 'abc'),
    'blank continuation': field('X-A: a\r\n \r\n'),
  }),
  ...each('9112 2.2 line ends', 'refuse', {
    'bare LF after a field': field('X-A: b\n'),
    'bare CR after a field': field('X-A: b\rX-B: c\r\n'),
    'bare CR at the end of a value': field('X-A: b\r\r\n'),
    'LF CR': field('X-A: b\n\r'),
    'bare LF ends the head': `GET / HTTP/1.1\r\n${HOST}\n`,
    'CR LF LF ends the head': `GET / HTTP/1.1\r\n${HOST}\r\n\n`.replace('\r\n\r\n\n', '\r\n\n'),
    'bare LF in a value': field('X-A: b\nTransfer-Encoding: chunked\r\n'),
    'CR alone on a line': `GET / HTTP/1.1\r\n${HOST}\rX\r\n\r\n`,
  }),
  ...each('9112 5 malformed field lines', 'refuse', {
    'no colon': field('X-A b\r\n'),
    'no name': field(': b\r\n'),
    'name only': field('X-A\r\n'),
    'non-ASCII name': field('X-\xc3\x84: b\r\n'),
    'a hundred and one fields': `GET / HTTP/1.1\r\n${HOST}${'X-A: b\r\n'.repeat(99)}${END}`,
    'line too long': field(`X-A: ${'b'.repeat(17_000)}\r\n`),
    'head too long': field(`X-A: ${'b'.repeat(12_000)}\r\n`.repeat(3)),
    'name too long': field(`${'a'.repeat(17_000)}: b\r\n`),
  }),
  ...each(
    '9110 5.6.2 field name is a token',
    'refuse',
    named(SEPARATORS, (c) => field(`X${c}A: b\r\n`)),
  ),
  ...each(
    '9110 5.1 control byte in name',
    'refuse',
    named(CONTROLS, (c) => field(`X${c}A: b\r\n`)),
  ),
  ...each(
    '9110 5.5 control byte in value',
    'refuse',
    named(CONTROLS, (c) => field(`X-A: a${c}b\r\n`)),
  ),
];

const host = (value: string) => `GET / HTTP/1.1\r\n${value}${END}`;
const hosts: RequestCase[] = [
  ...each('9112 3.2 Host', 'accept', {
    'with port': host('Host: hello.demo.localhost:8080\r\n'),
    'upper case': host('HOST: HELLO.DEMO.LOCALHOST\r\n'),
    'final dot': host('Host: hello.demo.localhost.\r\n'),
    'not the first field': host('X-A: b\r\nHost: hello.demo.localhost\r\n'),
  }),
  ...each('9112 3.2 Host', 'refuse', {
    missing: host(''),
    'missing in HTTP/1.0': `GET / HTTP/1.0\r\n${END}`,
    empty: host('Host:\r\n'),
    'repeated, equal': host(`${HOST}${HOST}`),
    'repeated, different': host(`${HOST}Host: other.demo.localhost\r\n`),
    'repeated, other case': host(`${HOST}hOsT: hello.demo.localhost\r\n`),
    list: host('Host: hello.demo.localhost, other\r\n'),
    'with user': host('Host: me@hello.demo.localhost\r\n'),
    'with path': host('Host: hello.demo.localhost/x\r\n'),
    'with scheme': host('Host: http://hello.demo.localhost\r\n'),
    'with space': host('Host: hello demo\r\n'),
    'port not a number': host('Host: hello.demo.localhost:http\r\n'),
    'port empty': host('Host: hello.demo.localhost:\r\n'),
    'port too long': host('Host: hello.demo.localhost:808080\r\n'),
    'two ports': host('Host: hello.demo.localhost:80:80\r\n'),
    'only a port': host('Host: :80\r\n'),
    'only a dot': host('Host: .\r\n'),
    backslash: host('Host: hello.demo.localhost\\x\r\n'),
    'question mark': host('Host: hello.demo.localhost?x\r\n'),
    'percent encoded': host('Host: hello%2edemo.localhost\r\n'),
    'broken bracket': host('Host: [::1\r\n'),
    'obs-text': host('Host: h\xe9llo\r\n'),
  }),
];

const length = (value: string, body = 'abc') => post(`Content-Length: ${value}\r\n`, body);
const lengths: RequestCase[] = [
  ...each('9112 6.2 Content-Length', 'accept', {
    plain: length('3'),
    zero: length('0', ''),
    'zero with GET': field('Content-Length: 0\r\n'),
    'GET with a body': `GET /p HTTP/1.1\r\n${HOST}Content-Length: 3\r\n${END}abc`,
    'leading zeros': length('003'),
    'spaces around': length('  3  '),
    absent: post('', ''),
  }),
  ...each('9112 6.3 Content-Length', 'refuse', {
    'repeated, equal': post('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc'),
    'repeated, different': post('Content-Length: 3\r\nContent-Length: 4\r\n', 'abcd'),
    'repeated, other case': post('Content-Length: 3\r\ncontent-length: 3\r\n', 'abc'),
    'list, equal': length('3, 3'),
    'list, different': length('3, 4'),
    'list with empty': length('3,'),
    plus: length('+3'),
    minus: length('-3'),
    'minus zero': length('-0'),
    hexadecimal: length('0x3'),
    octal: length('0o3'),
    exponent: length('3e0'),
    fraction: length('3.0'),
    empty: length(''),
    words: length('three'),
    'space inside': length('3 3'),
    'tab inside': length('3\t3'),
    'tab before': post('Content-Length:\t3\r\n', 'abc'),
    'tab after': post('Content-Length: 3\t\r\n', 'abc'),
    underscore: length('1_0'),
    'trailing letter': length('3a'),
    quoted: length('"3"'),
    semicolon: length('3;'),
    'too many digits': length('9999999999999999'),
    '2^64 + 3': length('18446744073709551619'),
    'other digits': length('\xb3'),
    'vertical tab': length('\x0b3'),
    NUL: length('3\x00'),
  }),
];

const coding = (value: string, body = '3\r\nabc\r\n0\r\n\r\n') => post(`Transfer-Encoding: ${value}\r\n`, body);
const codings: RequestCase[] = [
  ...each('9112 6.1 Transfer-Encoding', 'accept', {
    chunked: coding('chunked'),
    'upper case': coding('CHUNKED'),
    'spaces around': coding('  chunked '),
    'GET with chunks': `GET /p HTTP/1.1\r\n${HOST}${CHUNKED}${END}3\r\nabc\r\n0\r\n\r\n`,
  }),
  ...each('9112 6.1 Transfer-Encoding', 'refuse', {
    'with Content-Length after': post(`${CHUNKED}Content-Length: 3\r\n`, '3\r\nabc\r\n0\r\n\r\n'),
    'with Content-Length before': post(`Content-Length: 3\r\n${CHUNKED}`, '3\r\nabc\r\n0\r\n\r\n'),
    'with Content-Length zero': post(`Content-Length: 0\r\n${CHUNKED}`, '0\r\n\r\n'),
    'in HTTP/1.0': `POST /p HTTP/1.0\r\n${HOST}${CHUNKED}${END}0\r\n\r\n`,
    'repeated field': post(`${CHUNKED}${CHUNKED}`, '0\r\n\r\n'),
    'repeated coding': coding('chunked, chunked'),
    'other coding first': coding('gzip, chunked'),
    'other coding last': coding('chunked, gzip'),
    gzip: coding('gzip'),
    identity: coding('identity'),
    'identity, chunked': coding('identity, chunked'),
    unknown: coding('xchunked'),
    'chunked with parameter': coding('chunked;q=1'),
    quoted: coding('"chunked"'),
    empty: coding(''),
    comma: coding(','),
    'chunked with comma': coding('chunked,'),
    'leading comma': coding(',chunked'),
    'vertical tab before': coding('\x0bchunked'),
    'tab before': post('Transfer-Encoding:\tchunked\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    'tab after': coding('chunked\t'),
    'NUL after': coding('chunked\x00'),
    'obs-text after': coding('chunked\xa0'),
    'two words': coding('chunked chunked'),
    cow: coding('cow'),
    'two fields, one unknown': post(`${CHUNKED}Transfer-Encoding: cow\r\n`, '0\r\n\r\n'),
    'two fields, identity first': post(`Transfer-Encoding: identity\r\n${CHUNKED}`, '0\r\n\r\n'),
  }),
];

const chunkCases: RequestCase[] = [
  ...each('9112 7.1 chunks', 'accept', {
    none: chunks('0\r\n\r\n'),
    one: chunks('3\r\nabc\r\n0\r\n\r\n'),
    several: chunks('1\r\na\r\n2\r\nbc\r\n0\r\n\r\n'),
    'upper-case size': chunks('A\r\n0123456789\r\n0\r\n\r\n'),
    'lower-case size': chunks('a\r\n0123456789\r\n0\r\n\r\n'),
    'leading zeros': chunks('0003\r\nabc\r\n0000\r\n\r\n'),
    extension: chunks('3;a\r\nabc\r\n0\r\n\r\n'),
    'extension with value': chunks('3;a=b\r\nabc\r\n0\r\n\r\n'),
    'extension with quoted value': chunks('3;a="b;c\\"d"\r\nabc\r\n0\r\n\r\n'),
    'two extensions': chunks('3;a=b;c\r\nabc\r\n0;d\r\n\r\n'),
    trailer: chunks('3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n'),
    'two trailers': chunks('0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n'),
    'CR LF as data': chunks('4\r\n\r\n\r\n\r\n0\r\n\r\n'),
    'a request as data': chunks('12\r\nGET / HTTP/1.1\r\n\r\n\r\n0\r\n\r\n'),
  }),
  ...each('9112 7.1 chunk sizes', 'refuse', {
    missing: chunks('\r\nabc\r\n0\r\n\r\n'),
    words: chunks('xyz\r\nabc\r\n0\r\n\r\n'),
    '0x prefix': chunks('0x3\r\nabc\r\n0\r\n\r\n'),
    plus: chunks('+3\r\nabc\r\n0\r\n\r\n'),
    minus: chunks('-3\r\nabc\r\n0\r\n\r\n'),
    'leading space': chunks(' 3\r\nabc\r\n0\r\n\r\n'),
    'trailing space': chunks('3 \r\nabc\r\n0\r\n\r\n'),
    'trailing tab': chunks('3\t\r\nabc\r\n0\r\n\r\n'),
    underscore: chunks('1_0\r\nabc\r\n0\r\n\r\n'),
    'bare LF': chunks('3\nabc\r\n0\r\n\r\n'),
    'bare CR': chunks('3\rabc\r\n0\r\n\r\n'),
    'CR CR LF': chunks('3\r\r\nabc\r\n0\r\n\r\n'),
    'too many digits': chunks('10000000000000003\r\nabc\r\n0\r\n\r\n'),
    'thirteen digits': chunks('0000000000003\r\nabc\r\n0\r\n\r\n'),
    fraction: chunks('3.0\r\nabc\r\n0\r\n\r\n'),
    NUL: chunks('3\x00\r\nabc\r\n0\r\n\r\n'),
    quoted: chunks('"3"\r\nabc\r\n0\r\n\r\n'),
    comma: chunks('3,\r\nabc\r\n0\r\n\r\n'),
    'line too long': chunks(`3;${'a'.repeat(600)}\r\nabc\r\n0\r\n\r\n`),
  }),
  ...each('9112 7.1 chunk data', 'refuse', {
    'too short': chunks('4\r\nabc\r\n0\r\n\r\n'),
    'too long': chunks('2\r\nabc\r\n0\r\n\r\n'),
    'ends with bare LF': chunks('3\r\nabc\n0\r\n\r\n'),
    'ends with bare CR': chunks('3\r\nabc\r0\r\n\r\n'),
    'ends with nothing': chunks('3\r\nabc0\r\n\r\n'),
    'LF CR': chunks('3\r\nabc\n\r0\r\n\r\n'),
    'empty line between': chunks('3\r\nabc\r\n\r\n0\r\n\r\n'),
  }),
  ...each('9112 7.1.1 chunk extensions', 'refuse', {
    'no name': chunks('3;\r\nabc\r\n0\r\n\r\n'),
    'no name, value': chunks('3;=b\r\nabc\r\n0\r\n\r\n'),
    'no value': chunks('3;a=\r\nabc\r\n0\r\n\r\n'),
    'space before': chunks('3 ;a\r\nabc\r\n0\r\n\r\n'),
    'space after': chunks('3; a\r\nabc\r\n0\r\n\r\n'),
    'space in value': chunks('3;a=b c\r\nabc\r\n0\r\n\r\n'),
    'quote not closed': chunks('3;a="b\r\nabc\r\n0\r\n\r\n'),
    'text after quote': chunks('3;a="b"c\r\nabc\r\n0\r\n\r\n'),
    'bare LF': chunks('3;a\nabc\r\n0\r\n\r\n'),
    'bare CR': chunks('3;a\rb\r\nabc\r\n0\r\n\r\n'),
    'bare LF in quotes': chunks('3;a="\n"\r\nabc\r\n0\r\n\r\n'),
    'CR LF in quotes': chunks('3;a="\r\n"\r\nabc\r\n0\r\n\r\n'),
    NUL: chunks('3;a\x00\r\nabc\r\n0\r\n\r\n'),
    'separator in name': chunks('3;a(b\r\nabc\r\n0\r\n\r\n'),
    'two semicolons': chunks('3;;a\r\nabc\r\n0\r\n\r\n'),
  }),
  ...each('9112 7.1.2 trailers', 'refuse', {
    'bare LF': chunks('0\r\nX-A: b\n\r\n'),
    'bare LF ends it': chunks('0\r\n\n'),
    'bare CR': chunks('0\r\nX-A: b\rc\r\n\r\n'),
    'no colon': chunks('0\r\nX-A\r\n\r\n'),
    'space before colon': chunks('0\r\nX-A : b\r\n\r\n'),
    fold: chunks('0\r\nX-A: b\r\n c\r\n\r\n'),
    'Content-Length': chunks('0\r\nContent-Length: 3\r\n\r\n'),
    'Transfer-Encoding': chunks('0\r\nTransfer-Encoding: chunked\r\n\r\n'),
    Host: chunks('0\r\nHost: other\r\n\r\n'),
    Connection: chunks('0\r\nConnection: close\r\n\r\n'),
    Authorization: chunks('0\r\nAuthorization: x\r\n\r\n'),
    Cookie: chunks('0\r\nCookie: x\r\n\r\n'),
    'too long': chunks(`0\r\n${`X-A: ${'b'.repeat(1000)}\r\n`.repeat(9)}\r\n`),
    NUL: chunks('0\r\nX-A: \x00\r\n\r\n'),
  }),
  ...each(
    '9112 7.1 control byte as chunk size',
    'refuse',
    named(CONTROLS, (c) => chunks(`${c}3\r\nabc\r\n0\r\n\r\n`)),
  ),
];

const connections: RequestCase[] = [
  ...each('9110 7.6.1 Connection', 'accept', {
    'names a field': field('Connection: x-secret\r\nX-Secret: 1\r\n'),
    'keep-alive': field('Connection: keep-alive\r\n'),
    'empty elements': field('Connection: ,, keep-alive,\r\n'),
    'upgrade that is refused': field(
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n',
    ),
  }),
  ...each('9110 7.6.1 Connection', 'refuse', {
    'names Host': field('Connection: host\r\n'),
    'names Content-Length': post('Connection: content-length\r\nContent-Length: 3\r\n', 'abc'),
    'names Transfer-Encoding': post(`Connection: transfer-encoding\r\n${CHUNKED}`, '0\r\n\r\n'),
    'not a list of names': field('Connection: "close"\r\n'),
    'with slash': field('Connection: a/b\r\n'),
  }),
];

const handshake = (fields: string, line = 'GET / HTTP/1.1') =>
  `${line}\r\n${HOST}Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n${fields}\r\n`;
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const handshakes: RequestCase[] = [
  ...each('6455 4.1 opening handshake', 'accept', {
    'an instance that does not change protocols': handshake(KEY),
    'another protocol': `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade, close\r\nUpgrade: something/2\r\n\r\n`,
  }),
  ...each('6455 4.1 opening handshake', 'refuse', {
    'no key': handshake(''),
    'empty key': handshake('Sec-WebSocket-Key:\r\n'),
    'key of 15 bytes': handshake('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n'),
    'key that is no base64': handshake('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n'),
    'two keys': handshake(`${KEY}${KEY}`),
    POST: handshake(KEY, 'POST / HTTP/1.1'),
    'with a body': `${handshake(`${KEY}Content-Length: 3\r\n`)}abc`,
    'with chunks': `${handshake(`${KEY}${CHUNKED}`)}0\r\n\r\n`,
    'with a body, among other protocols': `${handshake(`Upgrade: other\r\n${KEY}Content-Length: 3\r\n`)}abc`,
  }),
  ...each('9110 7.8 Upgrade in HTTP/1.0', 'refuse', {
    websocket: handshake(KEY, 'GET / HTTP/1.0'),
    'another protocol': `GET / HTTP/1.0\r\n${HOST}Connection: Upgrade\r\nUpgrade: something/2\r\n\r\n`,
  }),
];

export const REQUEST_CASES: readonly RequestCase[] = [
  ...lines,
  ...fields,
  ...hosts,
  ...lengths,
  ...codings,
  ...chunkCases,
  ...connections,
  ...handshakes,
];
