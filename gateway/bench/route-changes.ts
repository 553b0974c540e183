import { open } from 'node:fs/promises';
import type { Route } from '@skyrun/contracts';
import { type ControlPlane, startControlPlane } from '../harness/gateway.ts';
import { startGatewayProcess } from './gateway-process.ts';
import { answers, freePorts, residentMebibytes } from './measure.ts';
import type { Processes } from './peers.ts';
import { row } from './table.ts';

const CHANGES = 20;

/**
 * What it holds up every request by when one of very many routes changes, and when all come anew: the longest delay of the
 * gateway's event loop, by Node's own histogram in /metrics, which holds the 10 ms that it looks after.
 */
export async function measureRouteChanges(options: {
  readonly routes: readonly Route[];
  readonly processes: Processes;
  readonly directory: string;
  readonly redisPort: number;
  readonly nodeFlags?: readonly string[];
  readonly print: (line: string) => void;
}): Promise<Record<string, number>> {
  const { routes, processes, directory, redisPort, nodeFlags, print } = options;
  const [port = 0, adminPort = 0] = await freePorts(2);
  const control = await startControlPlane(routes);
  try {
    const id = 'bench-changes';
    const gateway = startGatewayProcess(processes, {
      id,
      port,
      controlUrl: control.url,
      redisPort,
      directory,
      ...(nodeFlags === undefined ? {} : { nodeFlags }),
      environment: { SKYRUN_GATEWAY_ADMIN_PORT: String(adminPort) },
    });
    const pid = gateway.pid ?? 0;
    await answers(port);
    const journal = `${directory}/gateway/${id}/routes.journal`;
    await holds(journal, 1);
    await longestDelayMs(adminPort);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const nothing = await longestDelayMs(adminPort);
    const one = await changeOne(control, routes, journal, adminPort);
    const before = await residentMebibytes(pid);
    let most = before;
    control.publish({ kind: 'snapshot', epoch: 'another', version: 1, routes: [...routes] });
    const watch = setInterval(() => {
      void residentMebibytes(pid).then((now) => {
        most = Math.max(most, now);
      });
    }, 50);
    await holds(journal, 1, 'another');
    clearInterval(watch);
    const all = await longestDelayMs(adminPort);
    const cell = (ms: number) => [{ figure: `${ms.toFixed(0)} ms`, ratio: null }];
    print(row('longest delay, nothing', cell(nothing)));
    print(row('one route changed', cell(one), `${CHANGES} times, ${routes.length} routes`));
    print(
      row('all routes anew', cell(all), `${before.toFixed(0)} MiB before, at most ${most.toFixed(0)} MiB meanwhile`),
    );
    return { nothing, one, all };
  } finally {
    await control.close();
  }
}

async function changeOne(control: ControlPlane, routes: readonly Route[], journal: string, adminPort: number) {
  const [first] = routes;
  if (first === undefined) return 0;
  await longestDelayMs(adminPort);
  for (let version = 2; version < 2 + CHANGES; version += 1) {
    const [target] = first.targets;
    const targets = target === undefined ? [] : [{ ...target, timeoutMs: 10_000 + version }];
    control.publish({ kind: 'delta', epoch: 'test', version, upserts: [{ ...first, targets }], removes: [] });
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  await holds(journal, 1 + CHANGES);
  return longestDelayMs(adminPort);
}

/** Resolves when the journal on disk has come to a version. */
async function holds(journal: string, version: number, epoch = 'test'): Promise<void> {
  const ending = `${JSON.stringify({ at: [epoch, version] })}\n`;
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if ((await endOf(journal, ending.length)) === ending) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${journal} does not come to version ${version}`);
}

async function endOf(path: string, bytes: number): Promise<string> {
  const file = await open(path).catch(() => null);
  if (file === null) return '';
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, Math.max(0, size - bytes));
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Since it was asked the last time. */
async function longestDelayMs(adminPort: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
  const [, seconds = 'NaN'] = /^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(await response.text()) ?? [];
  return Number(seconds) * 1000;
}
