import type { Clock, Logger, Metrics } from '@skyrun/kit';
import type { RequestRecord } from '../observe/request-record.ts';
import { accessLine } from './line.ts';
import { LogFile } from './log-file.ts';

export interface AccessLogOptions {
  /** A file that is appended to; `-` is standard output. */
  readonly path: string;
  /** Share of the requests that are written, 0 to 1. Those answered with 500 and above are written always. */
  readonly ratio: number;
  /** Queries are written with their values, secrets among them. */
  readonly query: boolean;
}

export interface AccessLog {
  add(record: RequestRecord): void;
  /** After the file was moved away. */
  reopen(): void;
  register(metrics: Metrics): void;
  close(): Promise<void>;
}

export function createAccessLog(
  options: AccessLogOptions & {
    readonly gateway: string;
    readonly clock: Clock;
    readonly logger: Logger;
    /** In [0, 1). */
    readonly random?: () => number;
  },
): AccessLog {
  const { path, ratio, query, gateway, clock, logger, random = Math.random } = options;
  const file = new LogFile({ path, clock, logger });
  return {
    add(record) {
      if (record.status < 500 && random() >= ratio) return;
      file.add(accessLine(record, { gateway, query, epochMs: clock.now() - clock.monotonic() }));
    },
    reopen: () => file.reopen(),
    register(metrics) {
      metrics.counted('skyrun_gateway_access_log_lines_total', 'Lines of the access log', () => file.written);
      metrics.counted('skyrun_gateway_access_log_dropped_total', 'Lines that found no room', () => file.dropped);
    },
    close: () => file.close(),
  };
}
