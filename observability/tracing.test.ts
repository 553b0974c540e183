import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { currentTraceparent, inServerSpan, inSpan } from '@skyrun/kit';
import { expect, test } from 'vitest';
import { startTracing } from './tracing.ts';

test('without an endpoint nothing is registered and spans carry no trace', async () => {
  const none = startTracing({
    OTEL_EXPORTER_OTLP_ENDPOINT: undefined,
    OTEL_SERVICE_NAME: 'x',
    OTEL_TRACES_SAMPLER_ARG: 1,
  });
  expect(none).toBeNull();
  await inSpan('work', async () => expect(currentTraceparent()).toBeUndefined());
});

test('spans go on with the caller’s trace and arrive at the collector', async () => {
  const bodies: string[] = [];
  const collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push(`${request.url} ${Buffer.concat(chunks).toString('latin1')}`);
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const provider = startTracing({
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_SERVICE_NAME: 'x',
    OTEL_TRACES_SAMPLER_ARG: 0,
  });
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  await inServerSpan('createService', { traceparent }, async () => {
    expect(currentTraceparent()).toMatch(new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
  });
  await provider?.shutdown();
  collector.close();
  expect(bodies).toHaveLength(1);
  expect(bodies[0]).toMatch(/^\/v1\/traces .*createService/s);
});
