import { request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** Milliseconds from the question to the first byte of the body, and to the end. */
  readonly firstMs: number;
  readonly ms: number;
  /** Whether the answer came to its end; false when the connection broke in the middle of it. */
  readonly whole: boolean;
}

export interface Question {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const PATIENCE_MS = 90_000;

/** By address and Host header: whether `*.localhost` resolves depends on the machine. Status 0 where nobody answers. */
export function ask({ port, host, path, method = 'GET', headers, body }: Question): Promise<Answer> {
  const began = performance.now();
  const since = () => performance.now() - began;
  return new Promise((resolve) => {
    let text = '';
    let firstMs = 0;
    const call = request(
      { host: '127.0.0.1', port, path, method, headers: { ...headers, host }, agent: false, timeout: PATIENCE_MS },
      (response) => {
        const end = (whole: boolean) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: text,
            firstMs,
            ms: since(),
            whole,
          });
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          if (firstMs === 0) firstMs = since();
          text += piece;
        });
        response.on('error', () => end(false));
        response.on('end', () => end(response.complete));
      },
    );
    call.on('timeout', () => call.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)));
    call.on('error', (error) =>
      resolve({ status: 0, headers: {}, body: error.message, firstMs: 0, ms: since(), whole: false }),
    );
    call.end(body);
  });
}
