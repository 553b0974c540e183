/**
 * Usage through a real RabbitMQ into a real PostgreSQL, both private to the run, while replicas, broker and database are
 * killed: are all billed, and each once?
 *
 *   ./skyrun bench billing-faults [events, 200000]
 */
import { runFaults } from './faults/run-faults.ts';

const events = Number(process.argv[2] ?? 200_000);
const result = await runFaults({
  events,
  killReplica: [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95],
  killBroker: [0.2, 0.6],
  killDatabase: [0.3, 0.5, 0.8],
  patienceMs: 180_000,
});
const number = (value: number) => value.toLocaleString('en-US');
const { replicas, brokers, databases } = result.kills;
process.stdout.write(
  `${number(result.events)} usage events, ${number(result.published)} published in no order; killed: ${replicas} replicas, ` +
    `${brokers} brokers, ${databases} databases; ${result.seconds.toFixed(1)} s, ` +
    `${number(Math.round(result.billedRows / result.seconds))} rows a second with all of it\n` +
    `billed rows      ${number(result.billedRows)} of ${number(result.events)}\n` +
    `billed requests  ${number(result.billedRequests)} of ${number(result.expectedRequests)}\n` +
    `billed busy ms   ${result.billedCpuMs} of ${result.expectedCpuMs}\n` +
    `invoice          ${result.invoiceTotal}, ${result.exact ? 'exact' : 'NOT EXACT'} when computed again from raw usage\n`,
);
const once =
  result.billedRows === result.events &&
  result.billedRequests === result.expectedRequests &&
  result.billedCpuMs === result.expectedCpuMs &&
  result.exact;
process.stdout.write(once ? 'each was billed exactly once\n' : 'NOT each was billed exactly once\n');
process.exitCode = once ? 0 : 1;
