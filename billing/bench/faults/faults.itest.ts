import { expect, test } from 'vitest';
import { runFaults } from './run-faults.ts';

// The long run, with 200 000 events and more kills, is `./skyrun bench billing-faults`.
test('each usage event is billed once, though replicas, broker and database are killed on the way', async () => {
  const plan = { events: 6_000, killReplica: [0.1, 0.9], killBroker: [0.3], killDatabase: [0.6] };
  const result = await runFaults({ ...plan, patienceMs: 120_000 });
  process.stdout.write(
    `${result.events} usage events, ${result.published} published, ${JSON.stringify(result.kills)} killed: ` +
      `billed ${result.billedRows}, ${result.invoiceTotal}, in ${result.seconds.toFixed(1)} s\n`,
  );
  expect(result).toMatchObject({
    kills: { replicas: 2, brokers: 1, databases: 1 },
    billedRows: result.events,
    billedRequests: result.expectedRequests,
    billedCpuMs: result.expectedCpuMs,
    exact: true,
  });
  expect(result.published).toBeGreaterThanOrEqual(7_500);
}, 600_000);
