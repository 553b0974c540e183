import { expect, onTestFinished, test } from 'vitest';
import { route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw, statusOf } from '../harness/raw-client.ts';
import { startUpstream } from '../harness/upstream.ts';

const GET = 'GET / HTTP/1.1\r\nHost: hello.demo.localhost\r\nConnection: close\r\n\r\n';
/** So many that none of them fails often enough to be left out. */
const INSTANCES = 12;
const REQUESTS = 15;
/** What a service may repeat at first, and earns with each request. */
const [FIRST, SHARE] = [10, 0.2];

test('a service whose instances all break off is asked again within its budget only, and both are told', async () => {
  const instances = await Promise.all(
    Array.from({ length: INSTANCES }, () => startUpstream(({ socket }) => socket.destroy())),
  );
  onTestFinished(async () => {
    await Promise.all(instances.map((instance) => instance.close()));
  });
  const running = await startGateway([route([target(instances.map(({ port }) => port))])]);
  onTestFinished(() => running.close());
  const answers: string[] = [];
  for (let index = 0; index < REQUESTS; index += 1) {
    answers.push((await exchangeRaw(running.port, [GET], { waitMs: 20_000 })).text);
  }
  expect(new Set(answers.map(statusOf))).toEqual(new Set([502]));
  const attempts = instances.reduce((sum, { connections }) => sum + connections.length, 0);
  const repeated = attempts - REQUESTS;
  // Without a budget each of them would be sent three times.
  expect(repeated).toBeGreaterThanOrEqual(FIRST);
  expect(repeated).toBeLessThanOrEqual(FIRST + REQUESTS * SHARE);
  const spent = answers.filter((text) => text.includes('too many failed lately for it to be asked again'));
  expect(spent.length).toBeGreaterThan(0);
  expect(answers[0]).not.toContain('too many failed lately');
  const metrics = await (await fetch(`http://127.0.0.1:${running.gateway.adminAddress().port}/metrics`)).text();
  expect(metrics).toContain(`skyrun_gateway_repeats_total ${repeated}\n`);
  expect(metrics).toContain(`skyrun_gateway_repeats_refused_total ${spent.length}\n`);
});
