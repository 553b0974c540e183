import { backoff, type Clock, createTicker, type Logger } from '@skyrun/kit/base';
import type { Span } from './spans.ts';

/** Spans that wait to be sent; beyond that the newest are dropped and counted. */
const MOST_SPANS = 8192;
const BATCH_SPANS = 512;
const EVERY_MS = 1000;
const ANSWER_WITHIN_MS = 5000;

export interface OtlpExporter {
  /** Never throws and never waits. */
  add(spans: readonly Span[]): void;
  start(): void;
  /** Sends what is left, if the collector answers. */
  stop(): Promise<void>;
  readonly exported: number;
  readonly dropped: number;
}

/**
 * Sends spans in batches to a collector, by OTLP over HTTP in its JSON form. While the collector is away the batch at hand
 * is tried again, later each time; what does not fit behind it is dropped and counted. Requests notice none of it.
 */
export function createOtlpExporter(options: {
  /** Base URL of the collector; `/v1/traces` is added. */
  readonly endpoint: string;
  /** Sent with each batch, such as a key that the collector asks for. */
  readonly headers: Readonly<Record<string, string>>;
  /** `service.name` and what else tells processes apart. */
  readonly resource: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly logger: Logger;
}): OtlpExporter {
  const { endpoint, headers, clock, logger } = options;
  const url = new URL('v1/traces', endpoint.endsWith('/') ? endpoint : `${endpoint}/`);
  const resource = {
    attributes: Object.entries(options.resource).map(([key, stringValue]) => ({ key, value: { stringValue } })),
  };
  const delay = backoff({ baseMs: EVERY_MS, maxMs: 30_000 });
  let queue: Span[] = [];
  let exported = 0;
  let dropped = 0;
  let failures = 0;
  let notBefore = 0;

  /** What the collector made of a batch: whether the same batch may be tried again is its answer's to say. */
  async function send(spans: readonly Span[]): Promise<'taken' | 'refused' | 'later'> {
    const timeout = new AbortController();
    const cancel = clock.setTimeout(ANSWER_WITHIN_MS, () => timeout.abort(new Error('no answer in time')));
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'skyrun' }, spans }] }] }),
        signal: timeout.signal,
      });
      await response.arrayBuffer();
      if (response.ok) return 'taken';
      logger.debug({ status: response.status }, 'the collector takes no spans');
      // OTLP/HTTP, "Failures": these four may be tried again, no other.
      return [429, 502, 503, 504].includes(response.status) ? 'later' : 'refused';
    } catch (error) {
      logger.debug({ error }, 'the collector does not answer');
      return 'later';
    } finally {
      cancel();
    }
  }

  /** Sends one batch; false when there is nothing more to do now. */
  async function flushOne(): Promise<boolean> {
    const batch = queue.slice(0, BATCH_SPANS);
    if (batch.length === 0) return false;
    const outcome = await send(batch);
    if (outcome === 'later') {
      if (failures === 0) logger.warn({ endpoint: url.origin }, 'the collector takes no spans; requests go on');
      failures += 1;
      notBefore = clock.monotonic() + delay(failures);
      return false;
    }
    queue = queue.slice(batch.length);
    if (outcome === 'taken') exported += batch.length;
    else dropped += batch.length;
    if (failures > 0) logger.info('the collector takes spans again');
    failures = 0;
    return true;
  }

  const ticker = createTicker({
    name: 'gateway.spans',
    clock,
    logger,
    everyMs: EVERY_MS,
    async run() {
      if (clock.monotonic() < notBefore) return;
      while (await flushOne());
    },
  });

  return {
    add(spans) {
      if (queue.length + spans.length > MOST_SPANS) dropped += spans.length;
      else {
        queue.push(...spans);
        if (queue.length >= BATCH_SPANS && failures === 0) ticker.wake();
      }
    },
    start: () => ticker.start(),
    async stop() {
      await ticker.stop();
      if (failures === 0) while (await flushOne());
    },
    get exported() {
      return exported;
    },
    get dropped() {
      return dropped;
    },
  };
}
