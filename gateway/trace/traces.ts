import type { Clock, Logger, Metrics } from '@skyrun/kit';
import type { PriceFeed } from '../cost/price-feed.ts';
import { type RequestCost, requestCost } from '../cost/request-cost.ts';
import type { RequestRecord } from '../observe/request-record.ts';
import type { RandomHex } from '../pipeline/ids.ts';
import { createOtlpExporter } from './otlp-exporter.ts';
import { spansOf } from './spans.ts';

export interface TraceOptions {
  /** Base URL of the collector. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Share of the traces that begin here which are kept, 0 to 1. */
  readonly ratio: number;
}

export interface Traces {
  readonly ratio: number;
  add(record: RequestRecord): void;
  register(metrics: Metrics): void;
  start(): void;
  stop(): Promise<void>;
}

/** Makes spans of the requests that are traced, with what each cost, and sends them to the collector. */
export function createTraces(
  options: TraceOptions & {
    readonly gateway: string;
    readonly prices: Pick<PriceFeed, 'rates'>;
    readonly random: RandomHex;
    readonly clock: Clock;
    readonly logger: Logger;
  },
): Traces {
  const { gateway, prices, random, clock, logger, endpoint, headers, ratio } = options;
  const resource = { 'service.name': 'gateway', 'service.instance.id': gateway };
  const exporter = createOtlpExporter({ endpoint, headers, resource, clock, logger });
  const newId = () => random.take(16);
  return {
    ratio,
    add(record) {
      if (record.ids === null) return;
      const epochMs = clock.now() - clock.monotonic();
      exporter.add(spansOf(record, record.ids, { epochMs, newId, cost: costOf(record, prices) }));
    },
    register(metrics) {
      metrics.counted('skyrun_gateway_spans_exported_total', 'Spans that the collector took', () => exporter.exported);
      metrics.counted('skyrun_gateway_spans_dropped_total', 'Spans that found no room', () => exporter.dropped);
    },
    start: () => exporter.start(),
    stop: () => exporter.stop(),
  };
}

/** From the instance's getting the request to its end, as if it had had the instance for itself. */
function costOf(record: RequestRecord, prices: Pick<PriceFeed, 'rates'>): RequestCost | null {
  const { revision } = record;
  const attempt = record.attempts.at(-1);
  if (revision === null || attempt === undefined) return null;
  return requestCost(revision, prices.rates(revision.project), record.endedAt - attempt.assignedAt);
}
