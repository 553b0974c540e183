import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '../harness/gateway.ts';
import { exchangeRaw } from '../harness/raw-client.ts';

let uiDir: string;
let running: RunningGateway;

beforeAll(async () => {
  uiDir = await mkdtemp(join(tmpdir(), 'skyrun-ui-'));
  running = await startGateway([], { uiDir });
});
afterAll(async () => {
  await running.close();
  await rm(uiDir, { recursive: true, force: true });
});

const get = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${running.port}${path}`, init);

test('without a build the page says how to get one', async () => {
  const response = await get('/');
  expect(response.status).toBe(503);
  expect(await response.text()).toContain('./skyrun up');
});

test('a build that appears is served: page, hashed files for ever, paths of the page, nothing else', async () => {
  await mkdir(join(uiDir, 'assets'));
  await writeFile(join(uiDir, 'assets/index-Ab3dEf9h.js'), `console.log("${'x'.repeat(3000)}")`);
  await writeFile(join(uiDir, 'index.html'), '<!doctype html><script>let a = 1</script><p>Skyrun');
  for (let waited = 0; (await get('/')).status !== 200; waited += 100) {
    if (waited > 5000) throw new Error('the build was not noticed');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const page = await get('/');
  expect(page.headers.get('cache-control')).toBe('no-cache');
  expect(page.headers.get('content-security-policy')).toMatch(/script-src 'self' 'sha256-[\w+/=]+'; /);
  const etag = page.headers.get('etag') ?? '';
  expect((await get('/', { headers: { 'if-none-match': etag } })).status).toBe(304);
  expect(await (await get('/projects/demo/services')).text()).toContain('Skyrun');

  const script = await get('/assets/index-Ab3dEf9h.js', { headers: { 'accept-encoding': 'gzip' } });
  expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect((await script.text()).length).toBe(3000 + 'console.log("")'.length);
  // Compressed beside the requests, the first of which it does not hold up.
  for (const encoding of ['gzip', 'br']) {
    const compressed = () => get('/assets/index-Ab3dEf9h.js', { headers: { 'accept-encoding': encoding } });
    await expect
      .poll(async () => (await compressed()).headers.get('content-encoding'), { timeout: 20_000 })
      .toBe(encoding);
    expect((await (await compressed()).text()).length).toBe(3000 + 'console.log("")'.length);
  }
  expect((await get('/assets/missing.js')).status).toBe(404);
  for (const path of ['/../../../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '//etc/passwd']) {
    const { text } = await exchangeRaw(running.port, [
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    ]);
    expect(text).toContain('Skyrun');
    expect(text).not.toContain('root:');
  }
  await rm(join(uiDir, 'assets/index-Ab3dEf9h.js'));
  expect((await get('/assets/index-Ab3dEf9h.js')).status, 'held in memory').toBe(200);
  const post = await get('/', { method: 'POST', body: 'x' });
  expect(post.status).toBe(405);
  expect(post.headers.get('allow')).toBe('GET, HEAD');
  expect((await get('/', { method: 'HEAD' })).headers.get('content-length')).not.toBe('0');
});

test('the admin port tells health, metrics and routes', async () => {
  const admin = `http://127.0.0.1:${running.gateway.adminAddress().port}`;
  expect((await fetch(`${admin}/healthz`)).status).toBe(200);
  expect(await (await fetch(`${admin}/readyz`)).json()).toMatchObject({ ok: true });
  expect(await (await fetch(`${admin}/metrics`)).text()).toMatch(/skyrun_gateway_requests_total\{class="2xx"\} [1-9]/);
  expect(await (await fetch(`${admin}/debug/routes`)).json()).toEqual({ routes: [], invalid: [] });
});
