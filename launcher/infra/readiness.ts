import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How to ask a process whether it can do its work, as data, so that a topology can be compared and printed. */
export type ReadyCheck =
  | { readonly kind: 'postgres'; readonly port: number; readonly user: string }
  | { readonly kind: 'redis'; readonly port: number }
  | { readonly kind: 'amqp'; readonly port: number }
  | { readonly kind: 'tcp'; readonly port: number }
  | { readonly kind: 'http'; readonly url: string; readonly host?: string };

export interface Readiness {
  readonly ok: boolean;
  /** What was answered, or why nothing was. */
  readonly detail: string;
}

/** Ask once; a refused connection or silence of `timeoutMs` milliseconds is "not ready", never an exception. */
export function checkReady(check: ReadyCheck, timeoutMs = 1_000): Promise<Readiness> {
  switch (check.kind) {
    case 'postgres':
      // 'R' asks for authentication: the server lets clients in. 'E' is "the database system is starting up".
      return converse(check.port, startupMessage(check.user), (reply) => reply[0] === 0x52, timeoutMs);
    case 'redis':
      return converse(
        check.port,
        Buffer.from('PING\r\n'),
        (reply) => /^(\+PONG|-NOAUTH)/.test(reply.toString('latin1')),
        timeoutMs,
      );
    case 'amqp':
      // The answer to the protocol header is a method frame (1); RabbitMQ listens only when it has booted.
      return converse(check.port, Buffer.from('AMQP\0\0\x09\x01', 'latin1'), (reply) => reply[0] === 1, timeoutMs);
    case 'tcp':
      return converse(check.port, Buffer.alloc(0), null, timeoutMs);
    case 'http':
      return ask(check.url, check.host, timeoutMs);
  }
}

function startupMessage(user: string): Buffer {
  const body = Buffer.from(`user\0${user}\0database\0postgres\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 8, 0);
  head.writeInt32BE(196_608, 4);
  return Buffer.concat([head, body]);
}

function converse(
  port: number,
  greeting: Buffer,
  accepts: ((reply: Buffer) => boolean) | null,
  timeoutMs: number,
): Promise<Readiness> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const finish = (ok: boolean, detail: string): void => {
      socket.destroy();
      resolve({ ok, detail });
    };
    socket.setTimeout(timeoutMs, () => finish(false, `no answer within ${timeoutMs} ms`));
    socket.once('error', (error) => finish(false, error.message));
    socket.once('close', () => finish(false, 'closed the connection'));
    socket.once('connect', () => {
      if (accepts === null) finish(true, 'listens');
      else socket.write(greeting);
    });
    socket.once('data', (reply) => {
      const ok = accepts?.(reply) ?? true;
      finish(ok, ok ? 'answers' : reply.toString('latin1').replaceAll(/[^\x20-\x7e]+/g, ' '));
    });
  });
}

function ask(url: string, host: string | undefined, timeoutMs: number): Promise<Readiness> {
  return new Promise((resolve) => {
    const headers = host === undefined ? {} : { host };
    const call = request(url, { headers, timeout: timeoutMs, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        if (body.length < 2_000) body += text;
      });
      response.on('error', (error) => resolve({ ok: false, detail: error.message }));
      response.on('end', () => resolve({ ok: response.statusCode === 200, detail: `${response.statusCode} ${body}` }));
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    call.on('error', (error) => resolve({ ok: false, detail: error.message }));
    call.end();
  });
}

/**
 * Ask again and again until the answer is yes.
 * @param options.alive a promise that settles when waiting has become pointless (the process has gone)
 * @throws Error with the last detail when `timeoutMs` milliseconds pass or the process has gone
 */
export async function untilReady(
  name: string,
  check: ReadyCheck,
  options: { timeoutMs: number; gone?: Promise<unknown>; everyMs?: number },
): Promise<void> {
  const started = performance.now();
  let gone = false;
  options.gone?.then(
    () => {
      gone = true;
    },
    () => {
      gone = true;
    },
  );
  for (;;) {
    const readiness = await checkReady(check);
    if (readiness.ok) return;
    if (gone) throw new Error(`${name} ended before it was ready (${readiness.detail})`);
    if (performance.now() - started > options.timeoutMs) {
      throw new Error(`${name} was not ready within ${Math.round(options.timeoutMs / 1000)} s: ${readiness.detail}`);
    }
    await sleep(options.everyMs ?? 50);
  }
}
