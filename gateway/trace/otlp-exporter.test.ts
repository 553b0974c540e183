import { silentLogger, systemClock } from '@skyrun/kit';
import { expect, test, vi } from 'vitest';
import { startCollector } from '../harness/collector.ts';
import { createOtlpExporter } from './otlp-exporter.ts';
import type { Span } from './spans.ts';

const span = (number: number): Span => ({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: String(number).padStart(16, '0'),
  name: 'GET',
  kind: 2,
  startTimeUnixNano: '1700000000100000000',
  endTimeUnixNano: '1700000000200000000',
  attributes: [],
  status: {},
});
const many = (count: number) => Array.from({ length: count }, (_, index) => span(index + 1));
const exporterTo = (endpoint: string) =>
  createOtlpExporter({
    endpoint,
    headers: { 'x-key': 'k' },
    resource: { 'service.name': 'gateway' },
    clock: systemClock,
    logger: silentLogger,
  });
const within = { timeout: 15_000 };

test('spans go out in batches, with the headers and the resource', async () => {
  const collector = await startCollector();
  const exporter = exporterTo(collector.url);
  exporter.start();
  try {
    exporter.add(many(1200));
    await vi.waitFor(() => expect(collector.spans).toHaveLength(1200), within);
    expect(collector.headers).toHaveLength(3);
    expect(collector.headers[0]).toMatchObject({ 'x-key': 'k' });
    expect(collector.resources[0]).toEqual({ 'service.name': 'gateway' });
    // The collector has the last batch before the exporter has its answer.
    await vi.waitFor(() => expect([exporter.exported, exporter.dropped]).toEqual([1200, 0]), within);
  } finally {
    await exporter.stop();
    await collector.close();
  }
});

test('while the collector is busy spans are kept, up to a bound; what comes beyond is dropped and counted', async () => {
  const collector = await startCollector();
  collector.answer(503);
  const exporter = exporterTo(collector.url);
  exporter.start();
  try {
    exporter.add(many(8192));
    await vi.waitFor(() => expect(collector.headers.length).toBeGreaterThan(0), within);
    exporter.add(many(10));
    expect(exporter.dropped).toBe(10);
    collector.answer(200);
    await vi.waitFor(() => expect(exporter.exported).toBe(8192), within);
    expect(new Set(collector.spans.map(({ spanId }) => spanId)).size).toBe(8192);
  } finally {
    await exporter.stop();
    await collector.close();
  }
});

test('a batch that the collector refuses for good is not sent again', async () => {
  const collector = await startCollector();
  collector.answer(400);
  const exporter = exporterTo(collector.url);
  exporter.start();
  try {
    exporter.add(many(3));
    await vi.waitFor(() => expect(exporter.dropped).toBe(3), within);
    collector.answer(200);
    exporter.add([span(9)]);
    await vi.waitFor(() => expect(collector.spans.map(({ spanId }) => Number(spanId))).toEqual([9]), within);
  } finally {
    await exporter.stop();
    await collector.close();
  }
});

test('what is left is sent at the end, and a collector that is gone keeps nobody from stopping', async () => {
  const collector = await startCollector();
  const exporter = exporterTo(collector.url);
  exporter.add(many(5));
  await exporter.stop();
  expect(collector.spans).toHaveLength(5);
  await collector.close();
  const toNobody = exporterTo(collector.url);
  toNobody.add(many(5));
  await toNobody.stop();
  expect(toNobody.exported).toBe(0);
});
