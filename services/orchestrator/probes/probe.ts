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

function probeHttp1({ address, port, path, timeoutMs }: ProbeTarget): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = { 'user-agent': 'skyrun-probe', connection: 'close' };
    const signal = AbortSignal.timeout(timeoutMs);
    const asked = request({ host: address, port, path, headers, agent: false, signal }, (response) => {
      resolve(isWell(response.statusCode));
      response.destroy();
    });
    asked.once('error', () => resolve(false));
    asked.end();
  });
}

function probeHttp2({ address, port, path, timeoutMs }: ProbeTarget): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${address}:${port}`);
    const answer = (well: boolean) => {
      session.destroy();
      resolve(well);
    };
    session.setTimeout(timeoutMs, () => answer(false));
    session.once('error', () => answer(false));
    const stream = session.request({ ':path': path, 'user-agent': 'skyrun-probe' });
    stream.once('response', (headers) => answer(isWell(headers[':status'])));
    stream.once('error', () => answer(false));
    stream.end();
  });
}
