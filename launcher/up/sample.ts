import { createReadStream, existsSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { OPERATIONS, Problem } from '@skyrun/contracts';
import { type Client, createClient } from '@skyrun/kit';
import { buildSampleArchive } from '@skyrun/workload/sample';
import type { Administrator } from '../administrator.ts';
import type { Layout } from '../layout.ts';
import type { Progress } from './progress.ts';

const PROJECT = 'demo';
const NAME = 'sample';
const ANSWER_LIMIT_MS = 60_000;

export interface SampleOptions {
  readonly layout: Layout;
  readonly administrator: Administrator;
  readonly progress: Progress;
  readonly gatewayPort: number;
  readonly baseDomain: string;
}

export interface Sample {
  /** Null: nobody wants it any more, or nobody may ask for it. */
  readonly url: string | null;
  /** Whether the administrator's password is the one that `up` knows. */
  readonly passwordHolds: boolean;
}

/**
 * Deploy the sample service the way a tenant would, unless that was done before, and wait for its URL to answer. Where the
 * tenant has since deleted it, or has changed the administrator's password, it is left alone.
 * @throws Error when it does not answer within a minute
 */
export async function ensureSample(options: SampleOptions): Promise<Sample> {
  const api = await signIn(options);
  if (api === null) return { url: null, passwordHolds: false };
  return { url: await deployed(api, options), passwordHolds: true };
}

async function deployed(api: Client, options: SampleOptions): Promise<string | null> {
  const { layout, progress, gatewayPort } = options;
  const params = { project: PROJECT, service: NAME };
  const existing = await found(() => api.call(OPERATIONS.getService, { params }));
  if (existing === null) {
    if (existsSync(layout.sampleDeployed)) return null;
    const archive = await progress.step('build the sample image', () =>
      buildSampleArchive({
        destination: join(layout.sample, 'sample.tar'),
        cacheDir: join(layout.sample, 'layers'),
        format: 'docker',
      }),
    );
    await progress.step('upload and deploy the sample', async () => {
      await api.call(OPERATIONS.uploadImage, {
        params: { project: PROJECT },
        query: { name: NAME },
        stream: createReadStream(archive.path, { highWaterMark: 1_048_576 }),
      });
      await api.call(OPERATIONS.createService, {
        params: { project: PROJECT },
        body: { name: NAME, spec: { template: { image: NAME, startupProbe: { kind: 'http', path: '/healthz' } } } },
      });
    });
    writeFileSync(layout.sampleDeployed, '');
  }
  const host = `${NAME}.${PROJECT}.${options.baseDomain}`;
  await progress.step('sample answers through the gateway', (note) => untilAnswers(gatewayPort, host, note));
  return `http://${host}:${gatewayPort}/`;
}

async function signIn({ administrator, gatewayPort }: SampleOptions): Promise<Client | null> {
  const baseUrl = `http://127.0.0.1:${gatewayPort}`;
  const { email, password } = administrator;
  try {
    const { accessToken } = await createClient({ baseUrl }).call(OPERATIONS.signIn, { body: { email, password } });
    return createClient({ baseUrl, token: () => accessToken });
  } catch (error) {
    if (error instanceof Problem && error.code === 'auth.invalid_credentials') return null;
    throw error;
  }
}

async function found<Result>(call: () => Promise<Result>): Promise<Result | null> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Problem && error.code === 'resource.not_found') return null;
    throw error;
  }
}

async function untilAnswers(port: number, host: string, note: (detail: string) => void): Promise<void> {
  const from = performance.now();
  for (;;) {
    const answer = await get(port, host);
    if (answer === '200') return;
    note(answer);
    if (performance.now() - from > ANSWER_LIMIT_MS)
      throw new Error(`http://${host}:${port}/ does not answer: ${answer}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** By address and Host header: whether `*.localhost` resolves depends on the machine's resolver. */
function get(port: number, host: string): Promise<string> {
  return new Promise((resolve) => {
    const call = request({
      host: '127.0.0.1',
      port,
      path: '/',
      headers: { host: `${host}:${port}` },
      timeout: 30_000,
      agent: false,
    });
    call.on('response', (response) => {
      response.resume();
      response.on('error', (error) => resolve(error.message));
      response.on('end', () => resolve(String(response.statusCode)));
    });
    call.on('timeout', () => call.destroy(new Error('no answer within 30 s')));
    call.on('error', (error) => resolve(error.message));
    call.end();
  });
}
