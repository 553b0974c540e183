/**
 * Ingest of usage events beside a plain COPY and a plain batched INSERT of the same rows into a table with the same
 * indexes (the limits: they neither check, deduplicate, measure nor total), and beside one event at a time.
 *
 *   ./skyrun bench usage-ingest [events, 200000]
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@skyrun/kit';
import { startPostgres } from '@skyrun/testing';
import type { NewUsageRow } from '../aggregate/usage-row.ts';
import { checkUsage, type UsageEvent } from '../ingest/check-usage.ts';
import { fingerprintOf } from '../ingest/fingerprint.ts';
import { ingestBatch } from '../ingest/ingest-batch.ts';
import { closePeriod } from '../period/close-period.ts';
import { formatSpans, insertUsage } from '../store/usage.ts';
import { testBilling } from '../testing/billing-context.ts';
import { NOON, usageEvent } from '../testing/usage-events.ts';
import { verifyInvoice } from '../verify/verify-invoice.ts';

const count = Number(process.argv[2] ?? 200_000);
const INSTANCES = 100;
const BATCH = 1_000;
const ONE_BY_ONE = 2_000;

/** Window by window, each with a few busy spans, of 100 instances and two gateways that both saw them. */
function eventAt(index: number, project: string): UsageEvent {
  const instance = 1 + (index % INSTANCES);
  const gateway = Math.floor(index / INSTANCES) % 2;
  const from = NOON + Math.floor(index / INSTANCES / 2) * 1000;
  const shift = gateway * 40 + (index % 7);
  return usageEvent({
    project,
    key: `gateway-${gateway}/${index}`,
    instance,
    from,
    until: from + 1000,
    busy: [
      [from + shift, from + shift + 120],
      [from + 300 + shift, from + 450 + shift],
      [from + 700, from + 701 + shift],
    ],
    requests: 12,
    bytesOut: 48_000,
  });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = systemClock.monotonic();
  await work();
  return (systemClock.monotonic() - start) / 1000;
}

const postgres = await startPostgres();
const billing = await testBilling(await postgres.createDatabase('bench'));
const priceList = billing.prices.at('cloud-run-tier-1', NOON).id;
const out = (text: string) => process.stdout.write(`${text}\n`);
const rate = (events: number, seconds: number) => `${Math.round(events / seconds).toLocaleString('en-US')} events/s`;

function rowAt(index: number, project: string): NewUsageRow {
  const checked = checkUsage(eventAt(index, project), NOON + 86_400_000);
  if (!checked.ok) throw new Error(checked.problem);
  return { ...checked.row, priceList, fingerprint: fingerprintOf(checked.row) };
}

async function copyLimit(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'usage-copy-'));
  const file = join(folder, 'usage.csv');
  const lines = Array.from({ length: count }, (_, index) => {
    const row = rowAt(index, 'copy');
    const busy = `"${formatSpans(row.busy)}"`;
    return `copy,${row.key},\\x${row.fingerprint},${row.kind},${row.service},${row.revisionName},${row.instanceId},${row.windowStart},${row.windowEnd},${row.billingMode},${row.cpuMilli},${row.memoryMib},${row.requests},${row.bytesIn},${row.bytesOut},${busy},f,${row.priceList},${NOON}`;
  });
  writeFileSync(file, `${lines.join('\n')}\n`);
  // The server runs as another user.
  chmodSync(folder, 0o755);
  const seconds = await timed(async () => {
    await billing.db.query(`COPY billing.usage (project, key, fingerprint, kind, service, revision_name, instance_id,
      window_start, window_end, billing_mode, cpu_milli, memory_mib, requests, bytes_in, bytes_out, busy, min_instance,
      price_list, received_at) FROM '${file}' WITH (FORMAT csv)`);
  });
  rmSync(folder, { recursive: true });
  return seconds;
}

async function insertLimit(): Promise<number> {
  let seconds = 0;
  for (let at = 0; at < count; at += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, count - at) }, (_, index) => rowAt(at + index, 'insert'));
    seconds += await timed(async () => {
      await billing.db.transaction((tx) => insertUsage(tx.kysely<unknown>(), rows, NOON));
    });
  }
  return seconds;
}

async function ingest(project: string, events: number, batch: number): Promise<number> {
  let seconds = 0;
  for (let at = 0; at < events; at += batch) {
    const list = Array.from({ length: Math.min(batch, events - at) }, (_, index) => eventAt(at + index, project));
    seconds += await timed(async () => {
      const { accepted } = await ingestBatch(billing, list);
      if (accepted !== list.length) throw new Error(`${accepted} of ${list.length} were accepted`);
    });
  }
  return seconds;
}

try {
  await billing.clock.advance(86_400_000);
  await ingest('warm', 5_000, BATCH);
  const copy = await copyLimit();
  const insert = await insertLimit();
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const batched = await ingest('batched', count, BATCH);
  globalThis.gc?.();
  const after = process.memoryUsage().rss;
  const single = await ingest('single', ONE_BY_ONE, 1);
  out(`${count.toLocaleString('en-US')} usage events, batches of ${BATCH}, ${INSTANCES} instances, two gateways`);
  out(`COPY (limit)                 ${rate(count, copy)}`);
  out(`batched INSERT (limit)       ${rate(count, insert)}`);
  out(`ingest                       ${rate(count, batched)}  = ${(insert / batched).toFixed(2)} of batched INSERT`);
  const ratio = (batched / count / (single / ONE_BY_ONE)) ** -1;
  out(`ingest, one event at a time  ${rate(ONE_BY_ONE, single)}; batches are ${ratio.toFixed(1)} × faster`);
  out(
    `resident memory              ${Math.round(before / 2 ** 20)} MiB before, ${Math.round(after / 2 ** 20)} MiB after`,
  );
  let invoiceId = '';
  const closing = await timed(async () => {
    invoiceId = (await closePeriod(billing, 'batched', null)).id;
  });
  out(`closing the period           ${closing.toFixed(2)} s`);
  const verifying = await timed(async () => {
    const { exact, usageRows } = await verifyInvoice(billing, 'batched', invoiceId);
    if (!exact || usageRows !== count) throw new Error(`not exact: ${usageRows} rows`);
  });
  out(`verifying it from raw usage  ${verifying.toFixed(2)} s, exact`);
} finally {
  await billing.close();
  await postgres.stop();
}
