import type { ResponseCase } from '../http1/response-cases.ts';
import { type RawAnswer, statusOf } from './raw-client.ts';

/** What is wrong with what a client got for a response of that kind; null where it is as it must be. */
export function judgeResponse({ expected }: ResponseCase, { text, ended }: RawAnswer): string | null {
  const final = text.replace(/^(HTTP\/1\.1 1\d\d [\s\S]*?\r\n\r\n)+/, '');
  const got = `the client got ${JSON.stringify(final.slice(0, 300))} and ${ended}`;
  switch (expected.kind) {
    case 'whole': {
      const right = ended === 'end' && statusOf(final) === expected.status && bodyOf(final) === expected.body;
      return right ? null : `a whole ${expected.status} must come: ${got}`;
    }
    case 'bad':
      return statusOf(final) === 502 && final.includes('gateway.upstream_failed') ? null : `502 must come: ${got}`;
    default:
      return ended === 'reset' ? null : `the connection must be reset: ${got}`;
  }
}

/** The body of a text that is one response, unchunked. */
function bodyOf(text: string): string {
  const [, ...rest] = text.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  if (!/transfer-encoding: chunked/i.test(text)) return body;
  return body
    .replace(/[0-9a-f]+\r\n([\s\S]*?)\r\n/g, (_, data: string) => (data.startsWith('X-') ? '' : data))
    .replace('\r\n', '');
}
