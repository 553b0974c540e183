import { request } from 'node:http';

export const DOCKER_SOCKET = '/var/run/docker.sock';

export interface DockerVersion {
  readonly version: string;
  readonly apiVersion: string;
}

/** The engine's version if one answers on `socketPath` within `timeoutMs` milliseconds, else the reason it does not. */
export function dockerVersion(socketPath: string, timeoutMs = 3_000): Promise<DockerVersion | { error: string }> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path: '/version', timeout: timeoutMs, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('error', (error) => resolve({ error: error.message }));
      response.on('end', () => resolve(parseVersion(response.statusCode, body)));
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    call.on('error', (error) => resolve({ error: error.message }));
    call.end();
  });
}

function parseVersion(status: number | undefined, body: string): DockerVersion | { error: string } {
  if (status !== 200) return { error: `the engine answered ${status}: ${body.slice(0, 200)}` };
  const answer: unknown = JSON.parse(body);
  if (typeof answer !== 'object' || answer === null || !('Version' in answer) || !('ApiVersion' in answer)) {
    return { error: 'whatever answers on the socket is not a Docker Engine' };
  }
  return { version: String(answer.Version), apiVersion: String(answer.ApiVersion) };
}
