import { request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';

export interface ProbeTarget {
  readonly address: string;
  readonly port: number;
  readonly kind: 'tcp' | 'http';
  readonly path: string;
  readonly protocol: 'http1' | 'h2c';
  readonly timeoutMs: number;
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
}

/** Asks once. Never throws: whatever goes wrong is a no. */
export type Prober = (target: ProbeTarget) => Promise<boolean>;

export const networkProber: Prober = (target) => {
  if (target.kind === 'tcp') return probeTcp(target);
  return target.protocol === 'h2c' ? probeHttp2(target) : probeHttp1(target);
};

function probeTcp({ address, port, timeoutMs }: ProbeTarget): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const answer = (well: boolean) => {
      socket.destroy();
      resolve(well);
    };
    socket.setTimeout(timeoutMs, () => answer(false));
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}

const isWell = (status: number | undefined) => status !== undefined && status >= 200 && status < 400;

/** The tenant's own win. */
function headersOf({ headers = [] }: ProbeTarget): Record<string, string> {
  const given = headers.map(({ name, value }) => [name.toLowerCase(), value] as const);
  return { 'user-agent': 'skyrun-probe', ...Object.fromEntries(given) };
}

function probeHttp1(target: ProbeTarget): Promise<boolean> {
  return new Promise((resolve) => {
    const { address, port, path, timeoutMs } = target;
    const headers = { ...headersOf(target), connection: 'close' };
    const signal = AbortSignal.timeout(timeoutMs);
    const asked = request({ host: address, port, path, headers, agent: false, signal }, (response) => {
      resolve(isWell(response.statusCode));
      response.destroy();
    });
    asked.once('error', () => resolve(false));
    asked.end();
  });
}

function probeHttp2(target: ProbeTarget): Promise<boolean> {
  return new Promise((resolve) => {
    const { address, port, path, timeoutMs } = target;
    const session = connectHttp2(`http://${address}:${port}`);
    const answer = (well: boolean) => {
      session.destroy();
      resolve(well);
    };
    session.setTimeout(timeoutMs, () => answer(false));
    session.once('error', () => answer(false));
    const stream = session.request({ ...headersOf(target), ':path': path });
    stream.once('response', (headers) => answer(isWell(headers[':status'])));
    stream.once('error', () => answer(false));
    stream.end();
  });
}
