import { startCluster } from './cluster.ts';
import { killLeaders } from './kill-leaders.ts';

/**
 * Two orchestrators as real processes; the one that leads gets SIGKILL in the middle of its work, again and again. Printed:
 * how long until the other holds the lease, and until its first new container runs. The bound is 3 s; the peer is the
 * lease's time to live, before which nobody may take it.
 */

const KILLS = Number(process.argv[2] ?? 50);
const TTL_MS = 2_000;

const quantile = (values: readonly number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
const ms = (value: number) => `${value.toFixed(0).padStart(5)} ms`;

const cluster = await startCluster('/var/run/docker.sock', 2);
try {
  let number = 0;
  const kills = await killLeaders(cluster, KILLS, ({ ledMs, effectMs }) => {
    number += 1;
    console.log(`kill ${String(number).padStart(2)}  leads ${ms(ledMs)}  container runs ${ms(effectMs)}`);
  });
  const row = (name: string, values: readonly number[]) =>
    `${name.padEnd(26)} p50 ${ms(quantile(values, 0.5))}  p95 ${ms(quantile(values, 0.95))}  max ${ms(quantile(values, 1))}`;
  const led = kills.map(({ ledMs }) => ledMs);
  const twice = [...cluster.starts.values()].filter((count) => count > 1).length;
  console.log(row('another leads', led));
  console.log(
    row(
      'its first container runs',
      kills.map(({ effectMs }) => effectMs),
    ),
  );
  console.log(`ratio     ${(quantile(led, 0.5) / TTL_MS).toFixed(2)} × the lease's ${TTL_MS} ms`);
  console.log(`containers ${cluster.starts.size} instances started, ${twice} of them twice`);
  if (quantile(led, 1) >= 3_000 || twice > 0) process.exitCode = 1;
} finally {
  await cluster.stop();
}
