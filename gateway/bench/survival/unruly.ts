import { connect } from 'node:net';
import { servicePolicy } from '@skyrun/contracts';
import { route, startControlPlane, target } from '../../harness/gateway.ts';
import { judgeResponse } from '../../harness/judge-response.ts';
import { exchangeRaw, type RawAnswer, statusOf } from '../../harness/raw-client.ts';
import { startUpstream } from '../../harness/upstream.ts';
import { RESPONSE_CASES } from '../../http1/response-cases.ts';
import { answers } from '../measure.ts';
import { HOST } from '../peers.ts';
import { type Setting, startInstance, startOwnGateway } from './setting.ts';
import { startSteadyLoad } from './steady-load.ts';

const UNRULY_HOST = 'unruly.demo.localhost';
const UNRULY = {
  revisionId: 'rev_01890000-0000-7000-8000-000000000004',
  serviceId: 'svc_01890000-0000-7000-8000-000000000004',
};
/** How long the service may be silent before its first byte, and how much later the client may hear of it. */
const FIRST_BYTE_MS = 400;
const SLACK_MS = 300;
const EVENTS = 20;
const EVENT_EVERY_MS = 20;
const EVENT_WITHIN_MS = 100;
const HEAD = 'HTTP/1.1 200 OK\r\n';

/** What is wrong; null where it held. */
type Check = () => Promise<string | null>;

/**
 * Instances that hang, trickle, reset and lie, each in turn and over and over beside a load on an honest one: each client must
 * hear the truth, and after each the same service must answer a request with its own response.
 */
export async function surviveUnruly(setting: Setting): Promise<boolean> {
  const { processes, options } = setting;
  const honest = await startInstance(processes);
  const unruly = await startUnruly();
  const control = await startControlPlane([
    route([target([honest.port])], HOST),
    {
      ...route([target([unruly.port], { timeoutMs: 0, revisionId: UNRULY.revisionId })], UNRULY_HOST),
      serviceId: UNRULY.serviceId,
      policy: servicePolicy.parse({ firstByteTimeoutMs: FIRST_BYTE_MS }),
    },
  ]);
  const gateway = await startOwnGateway(setting, 'of-unruly', control);
  const { port } = gateway;
  try {
    await answers(port);
    const load = startSteadyLoad({ port, ratePerSecond: options.rate, path: '/', methods: ['GET'] });
    const lateness: number[] = [];
    const checks = checksOf(port, lateness);
    const wrong = new Map<string, string>();
    let done = 0;
    for (const end = performance.now() + options.seconds * 1000; performance.now() < end; ) {
      for (const [name, check] of checks) {
        const fault = (await check()) ?? (await askClean(port, done));
        if (fault !== null) wrong.set(name, fault);
        done += 1;
      }
    }
    const sent = await load.stop();
    const failed = sent.filter(({ status }) => status !== 200).length;
    const latest = Math.max(...lateness);
    for (const [name, fault] of wrong) options.print(`${name}: ${fault}`);
    options.print(
      `unruly instances: ${done} answers of ${checks.size} kinds, ${wrong.size} kinds handled wrongly; ` +
        `${lateness.length} events of streams, each at the client within ${latest.toFixed(1)} ms; ` +
        `beside it ${sent.length} requests at ${options.rate}/s, ${failed} failed`,
    );
    return wrong.size === 0 && failed === 0 && latest < EVENT_WITHIN_MS;
  } finally {
    await gateway.stop();
    await control.close();
    await unruly.close();
    honest.child.kill('SIGTERM');
  }
}

function checksOf(port: number, lateness: number[]): Map<string, Check> {
  const ask = (path: string, method = 'GET') =>
    exchangeRaw(port, [`${method} ${path} HTTP/1.1\r\nHost: ${UNRULY_HOST}\r\nConnection: close\r\n\r\n`]);
  const checks = new Map<string, Check>();
  for (const [index, one] of RESPONSE_CASES.entries()) {
    checks.set(one.name, async () => judgeResponse(one, await ask(`/case/${index}`, one.method)));
  }
  checks.set('hangs', async () => {
    const began = performance.now();
    const answer = await ask('/hang');
    const took = performance.now() - began;
    const right = statusOf(answer.text) === 504 && took >= FIRST_BYTE_MS && took < FIRST_BYTE_MS + SLACK_MS;
    return right ? null : `504 must come after ${FIRST_BYTE_MS} ms, ${shown(answer)} came after ${Math.round(took)}`;
  });
  checks.set('resets before its head', async () => {
    const answer = await ask('/reset', 'POST');
    return statusOf(answer.text) === 502 ? null : `502 must come, not ${shown(answer)}`;
  });
  checks.set('resets amid its body', async () => {
    const answer = await ask('/reset-body');
    return answer.ended === 'reset' ? null : `the client must be reset, not get ${shown(answer)}`;
  });
  checks.set('trickles events', () => takeEvents(port, lateness));
  return checks;
}

function shown({ text, ended }: RawAnswer): string {
  return `${JSON.stringify(text.slice(0, 200))} and ${ended}`;
}

async function askClean(port: number, mark: number): Promise<string | null> {
  const answer = await exchangeRaw(port, [
    `GET /clean HTTP/1.1\r\nHost: ${UNRULY_HOST}\r\nX-Mark: ${mark}\r\nConnection: close\r\n\r\n`,
  ]);
  return answer.text.endsWith(`\r\n\r\nmark ${mark}`) ? null : `the next request got ${shown(answer)}`;
}

/** Takes a stream of events whose data is when they were sent; each one's age goes into `lateness`. */
function takeEvents(port: number, lateness: number[]): Promise<string | null> {
  return new Promise((resolve) => {
    let text = '';
    let events = 0;
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`GET /events HTTP/1.1\r\nHost: ${UNRULY_HOST}\r\nConnection: close\r\n\r\n`);
    });
    socket.on('data', (chunk: Buffer) => {
      const now = performance.now();
      text += chunk.toString('latin1');
      const all = [...text.matchAll(/data: ([\d.]+)\n\n/g)];
      for (const [, sentAt] of all.slice(events)) lateness.push(now - Number(sentAt));
      events = all.length;
    });
    socket.on('error', () => resolve('the stream broke'));
    socket.on('close', () => resolve(events === EVENTS ? null : `${events} of ${EVENTS} events came`));
  });
}

/** An instance in this process, because its events and their arrival are timed by one clock. */
function startUnruly() {
  return startUpstream(({ socket }, chunk) => {
    const request = chunk.toString('latin1');
    const [, path = ''] = /^[A-Z]+ (\S+) HTTP/.exec(request) ?? [];
    const one = RESPONSE_CASES[Number(/^\/case\/(\d+)$/.exec(path)?.[1] ?? Number.NaN)];
    if (one !== undefined) {
      socket.write(Buffer.from(one.bytes, 'latin1'));
      if (one.ends === true) socket.end();
    } else if (path === '/clean') {
      const body = `mark ${/x-mark: (\d+)/i.exec(request)?.[1] ?? 'missing'}`;
      socket.write(`${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`);
    } else if (path === '/reset') socket.write('HTTP/1.1 200', () => socket.resetAndDestroy());
    else if (path === '/reset-body') {
      socket.write(`${HEAD}Content-Length: 100\r\n\r\nsome`, () => setTimeout(() => socket.resetAndDestroy(), 5));
    } else if (path === '/events') sendEvents((text) => socket.write(text));
    // Whatever else is asked, such as /hang, is never answered.
  });
}

function sendEvents(write: (text: string) => void): void {
  write(`${HEAD}Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n`);
  let sent = 0;
  const timer = setInterval(() => {
    const event = `data: ${performance.now()}\n\n`;
    write(`${event.length.toString(16)}\r\n${event}\r\n`);
    sent += 1;
    if (sent < EVENTS) return;
    clearInterval(timer);
    write('0\r\n\r\n');
  }, EVENT_EVERY_MS);
}
