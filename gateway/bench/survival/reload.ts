import { WebSocket } from 'ws';
import { route, startControlPlane, target } from '../../harness/gateway.ts';
import { startGatewayProcess } from '../gateway-process.ts';
import { answers, freePorts } from '../measure.ts';
import { HOST } from '../peers.ts';
import { exited, pause, type Setting, startInstance } from './setting.ts';
import { sharedBy } from './shared-port.ts';

/** Sockets that speak at once, and how long until the next ones do. */
const BATCH = 100;
const BATCH_MS = 40;
/** Before the bound nothing new is said, so that what is lost is not what the bound cut. */
const QUIET_MS = 2000;
/** New sockets while the old gateway drains, one at a time. */
const NEW_EVERY_MS = 100;
const OPEN_MS = 30_000;

/** One client: says numbers, and expects each back. */
class EchoSocket {
  readonly #socket: WebSocket;
  readonly closed: Promise<void>;
  alive = true;
  said = 0;
  heard = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      if (String(data) === String(this.heard)) this.heard += 1;
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.alive = false;
        resolve();
      });
    });
    // What went wrong is seen by the close that follows.
    socket.on('error', () => socket.terminate());
  }

  get whole(): boolean {
    return this.alive && this.heard === this.said;
  }

  say(): void {
    if (this.alive) this.#socket.send(String(this.said));
    this.said += 1;
  }

  end(): void {
    this.#socket.terminate();
  }
}

function open(port: number): Promise<EchoSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
      headers: { host: HOST },
      perMessageDeflate: false,
      handshakeTimeout: OPEN_MS,
    });
    const echo = new EchoSocket(socket);
    socket.once('open', () => resolve(echo));
    socket.once('error', reject);
  });
}

async function openMany(port: number, count: number): Promise<EchoSocket[]> {
  const sockets: EchoSocket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(BATCH, count - sockets.length) }, () => open(port));
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

/** Each says one thing, batch by batch. */
async function round(sockets: readonly EchoSocket[], until: number): Promise<void> {
  for (let start = 0; start < sockets.length && performance.now() < until; start += BATCH) {
    for (const socket of sockets.slice(start, start + BATCH)) socket.say();
    await pause(BATCH_MS);
  }
}

async function until(condition: () => boolean, limitMs: number): Promise<void> {
  const limit = performance.now() + limitMs;
  while (!condition() && performance.now() < limit) await pause(20);
}

/**
 * A gateway with open WebSockets is replaced: another one joins its port, and it gets SIGTERM. Up to its drain bound its
 * sockets go on without losing an echo while new ones come to the other; what is open at the bound is cut, and comes back to
 * the other at its first try.
 */
export async function surviveReload({ directory, redisPort, processes, options }: Setting): Promise<boolean> {
  const drainMs = options.drainSeconds * 1000;
  const instance = await startInstance(processes);
  const control = await startControlPlane([route([target([instance.port], { timeoutMs: 0 })], HOST)]);
  const [port = 0] = await freePorts(1);
  const start = (id: string) =>
    startGatewayProcess(processes, {
      id,
      port,
      controlUrl: control.url,
      redisPort,
      directory,
      environment: { SKYRUN_GATEWAY_DRAIN_MS: String(drainMs) },
    });
  const all: EchoSocket[] = [];
  try {
    const old = start('reloaded');
    await answers(port);
    const sockets = await openMany(port, options.sockets);
    all.push(...sockets);
    const next = start('next');
    const ended = exited(old);
    await sharedBy(port, next.pid ?? 0);
    const begun = performance.now();
    old.kill('SIGTERM');
    // From here on connections that were made before may still be in the old one's queue.
    await pause(NEW_EVERY_MS);
    const lastWord = begun + drainMs - QUIET_MS;
    let failed = 0;
    const fresh: EchoSocket[] = [];
    const newcomers = (async () => {
      while (performance.now() < lastWord) {
        await open(port).then(
          (socket) => fresh.push(socket),
          () => {
            failed += 1;
          },
        );
        await pause(NEW_EVERY_MS);
      }
    })();
    do await round([...sockets, ...fresh], lastWord);
    while (performance.now() < lastWord);
    await newcomers;
    all.push(...fresh);
    const exchanged = () => [...sockets, ...fresh];
    await until(() => exchanged().every((socket) => socket.whole), begun + drainMs - 250 - performance.now());
    const lost = exchanged().filter((socket) => !socket.whole).length;
    const echoes = exchanged().reduce((sum, socket) => sum + socket.heard, 0);
    await Promise.race([Promise.all(sockets.map((socket) => socket.closed)), pause(OPEN_MS)]);
    const cutAfter = (performance.now() - begun) / 1000;
    const code = await Promise.race([ended, pause(OPEN_MS).then(() => null)]);
    const again = await openMany(port, options.sockets).catch(() => []);
    all.push(...again);
    const returned = (performance.now() - begun) / 1000 - cutAfter;
    await round([...again, ...fresh], Number.POSITIVE_INFINITY);
    await until(() => [...again, ...fresh].every((socket) => socket.whole), 10_000);
    const elsewhere = fresh.filter((socket) => socket.whole).length;
    const back = again.filter((socket) => socket.whole).length;
    const old0 = code === 0 ? 'ended with 0' : `ended with ${code ?? 'a signal, or not at all'}`;
    options.print(
      `reload, ${sockets.length} WebSockets, drain ${options.drainSeconds} s: ${echoes} echoes, ${lost} sockets lost one; ` +
        `${fresh.length} new sockets, ${failed} refused, ${elsewhere} live on at the other gateway; ` +
        `cut after ${cutAfter.toFixed(1)} s, the old one ${old0}; ${back} back within ${returned.toFixed(1)} s`,
    );
    return (
      lost === 0 &&
      failed === 0 &&
      fresh.length > 0 &&
      elsewhere === fresh.length &&
      cutAfter * 1000 >= drainMs - 100 &&
      code === 0 &&
      back === options.sockets
    );
  } finally {
    for (const socket of all) socket.end();
    await control.close();
    instance.child.kill('SIGTERM');
  }
}
