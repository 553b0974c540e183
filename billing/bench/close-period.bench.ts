/**
 * A month of usage windows: taken in, with the memory it takes on the way; then its closing into an invoice, and the same
 * invoice computed again from every raw row, as the peer that has no running totals.
 *
 *   ./skyrun bench close-period [windows, 1000000]
 */
import { systemClock } from '@skyrun/kit';
import { startPostgres } from '@skyrun/testing';
import { monthStart } from '../aggregate/slot.ts';
import { ingestBatch } from '../ingest/ingest-batch.ts';
import { closePeriod } from '../period/close-period.ts';
import { testBilling } from '../testing/billing-context.ts';
import { NOON, usageEvent } from '../testing/usage-events.ts';
import { verifyInvoice } from '../verify/verify-invoice.ts';

const windows = Number(process.argv[2] ?? 1_000_000);
const SERVICES = 50;
const INSTANCES = 1_000;
const BATCH = 1_000;
/** Windows between two looks at the memory: an eighth of all, a million at most. */
const REPORT_EVERY = Math.min(1_000_000, Math.ceil(windows / 8 / BATCH) * BATCH);
const start = monthStart(NOON);
/** Seconds from one window of an instance to its next, so that they fill 28 days. */
const every = Math.max(1, Math.floor((28 * 86_400) / (windows / INSTANCES)));

const out = (text: string) => process.stdout.write(`${text}\n`);
const seconds = (since: number) => (systemClock.monotonic() - since) / 1000;
const mib = () => {
  globalThis.gc?.();
  return Math.round(process.memoryUsage().rss / 2 ** 20);
};

const postgres = await startPostgres();
const billing = await testBilling(await postgres.createDatabase('bench'), {
  priceList: 'cloud-run-tier-1',
  freeTier: true,
});
try {
  await billing.clock.advance(30 * 86_400_000);
  const eventAt = (index: number) => {
    const instance = index % INSTANCES;
    const from = start + Math.floor(index / INSTANCES) * every * 1000;
    return usageEvent({
      project: 'month',
      key: `k${index}`,
      service: `service-${instance % SERVICES}`,
      instance: 1 + instance,
      from,
      busy: [[from + (index % 7), from + 400 + (index % 11)]],
      requests: 3,
      bytesOut: 20_000,
    });
  };
  const resident = [mib()];
  const began = systemClock.monotonic();
  for (let at = 0; at < windows; at += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, windows - at) }, (_, index) => eventAt(at + index));
    await ingestBatch(billing, batch);
    const taken = at + batch.length;
    if (taken % REPORT_EVERY !== 0 && taken !== windows) continue;
    resident.push(mib());
    out(
      `${taken.toLocaleString('en-US')} windows taken in after ${seconds(began).toFixed(0)} s, ${resident.at(-1)} MiB resident`,
    );
  }
  const ingesting = seconds(began);
  out(`${windows.toLocaleString('en-US')} windows of ${INSTANCES} instances of ${SERVICES} services over 28 days`);
  out(
    `ingest                         ${ingesting.toFixed(1)} s, ${Math.round(windows / ingesting)} events/s with their making`,
  );
  out(`resident memory on the way     ${resident.join(', ')} MiB`);

  const closingFrom = systemClock.monotonic();
  const invoice = await closePeriod(billing, 'month', null);
  const closing = seconds(closingFrom);
  out(
    `closing into ${invoice.number}      ${closing.toFixed(2)} s, ${invoice.lines.length} lines, ${invoice.total} ${invoice.currency}`,
  );

  const verifyingFrom = systemClock.monotonic();
  const verified = await verifyInvoice(billing, 'month', invoice.id);
  const verifying = seconds(verifyingFrom);
  out(
    `again from ${verified.usageRows} raw rows    ${verifying.toFixed(2)} s, ${verified.exact ? 'exact' : 'NOT EXACT'}; closing is ${(verifying / closing).toFixed(0)} × faster`,
  );
  if (!verified.exact || verified.usageRows !== windows) process.exitCode = 1;
} finally {
  await billing.close();
  await postgres.stop();
}
