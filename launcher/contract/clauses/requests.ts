import { z } from 'zod';
import { type Clause, clause, exactly } from '../clause.ts';
import type { World } from '../world.ts';

const HEADERS = 'knative: Headers';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const echo = z.object({
  httpVersion: z.string(),
  headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
});

/** What a request is when it reaches the app, and how long it may take. `http2` names its port h2c; `slow` has 3 s. */
export async function requestClauses(world: World): Promise<Clause[]> {
  const headers = { 'x-own': 'kept', traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
  const [answer, second] = await Promise.all(['plain', 'http2'].map((service) => world.ask(service, '/echo', headers)));
  if (!answer || !second) throw new Error('there are two');
  const plain = echo.parse(JSON.parse(answer.body));
  const header = (name: string) => String(plain.headers[name] ?? 'nothing');
  const host = `plain.contract.${world.place.state.baseDomain}:${world.place.state.gatewayPort}`;
  const like = (name: string, pattern: RegExp) => ({ seen: header(name), holds: pattern.test(header(name)) });
  return [
    clause('Host', HEADERS, 'as the client sent it', exactly(header('host'), host)),
    clause(
      'Forwarded',
      HEADERS,
      'for, host, proto',
      like('forwarded', /^for=127\.0\.0\.1;host="plain\..*";proto=http$/),
    ),
    clause('X-Forwarded-For', HEADERS, 'the client', like('x-forwarded-for', /^127\.0\.0\.1$/)),
    clause('X-Forwarded-Proto', HEADERS, 'http', exactly(header('x-forwarded-proto'), 'http')),
    clause(
      'traceparent',
      HEADERS,
      'the client’s trace goes on',
      like('traceparent', new RegExp(`^00-${TRACE}-[0-9a-f]{16}-`)),
    ),
    clause('other headers', HEADERS, 'unchanged', exactly(header('x-own'), 'kept')),
    clause('HTTP/1.1 by default', 'knative: Protocols and Ports', '1.1', exactly(plain.httpVersion, '1.1')),
    clause(
      'h2c by the port’s name',
      'knative: Protocols and Ports',
      '2.0',
      exactly(second.status === 200 ? echo.parse(JSON.parse(second.body)).httpVersion : second.status, '2.0'),
    ),
    ...(await timeClauses(world)),
  ];
}

async function timeClauses(world: World): Promise<Clause[]> {
  const TIMEOUT = 'cloud run: request timeout';
  const [late, cut, streamed] = await Promise.all([
    world.ask('slow', '/sleep?ms=8000'),
    world.ask('slow', '/drip?times=80&ms=100'),
    world.ask('plain', '/drip?times=10&ms=200'),
  ]);
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  return [
    clause('no answer within timeoutSeconds', TIMEOUT, '504 after 3 s', {
      seen: `${late.status} after ${seconds(late.ms)} s`,
      holds: late.status === 504 && late.ms >= 2_900 && late.ms < 6_000,
    }),
    clause('an answer that goes on beyond it', TIMEOUT, 'cut off after 3 s, not ended as if whole', {
      seen: `${cut.status}, ${cut.whole ? 'whole' : 'cut off'} after ${seconds(cut.ms)} s`,
      holds: !cut.whole && cut.ms >= 2_900 && cut.ms < 6_000,
    }),
    clause('a streamed answer', 'cloud run: streaming', 'its first bytes at once', {
      seen: `first byte after ${seconds(streamed.firstMs)} s of ${seconds(streamed.ms)} s`,
      holds: streamed.whole && streamed.firstMs < streamed.ms / 2,
    }),
  ];
}
