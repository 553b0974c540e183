import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { currentTraceparent, inServerSpan, inSpan, recordSpan } from '@skyrun/kit';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { startTracing } from './tracing.ts';

const spans = z.array(
  z.object({
    name: z.string(),
    traceId: z.string(),
    spanId: z.string(),
    parentSpanId: z.string().optional(),
    startTimeUnixNano: z.string(),
    endTimeUnixNano: z.string(),
  }),
);
/** OTLP as JSON, what of it is looked at. */
const exported = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans })) })),
});

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
  const from = 1_700_000_000_000;
  const start = recordSpan({ name: 'instance start', parent: traceparent, from, until: from + 250 });
  expect(start).toMatch(new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
  recordSpan({ name: 'probe', parent: start, from: from + 200, until: from + 250 });
  await provider?.shutdown();
  collector.close();
  expect(bodies).toHaveLength(1);
  const [path, body = ''] = bodies[0]?.split(/ (.*)/s) ?? [];
  expect(path).toBe('/v1/traces');
  const { resourceSpans } = exported.parse(JSON.parse(body));
  const told = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  const named = new Map(told.map((span) => [span.name, span]));
  expect([...named.keys()].toSorted()).toEqual(['createService', 'instance start', 'probe']);
  expect(told.every((span) => span.traceId === traceId)).toBe(true);
  expect(named.get('instance start')).toMatchObject({
    parentSpanId: 'b7ad6b7169203331',
    startTimeUnixNano: `${from}000000`,
    endTimeUnixNano: `${from + 250}000000`,
  });
  expect(named.get('probe')?.parentSpanId).toBe(named.get('instance start')?.spanId);
});
