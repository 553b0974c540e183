import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { HOST } from '../peers.ts';
import { pause, type Setting } from './setting.ts';

const run = promisify(execFile);

/** The whole control plane and Redis are killed, and requests go on at the same rate. */
export async function surviveAbsence({ proxy, options, redis, control }: Setting): Promise<boolean> {
  const { seconds, rate, print } = options;
  const clients = 50;
  const wanted = rate * seconds;
  const load = run('h2load', [
    '--h1',
    '-c',
    String(clients),
    '-n',
    String(wanted),
    `--rps=${rate / clients}`,
    `--connect-to=127.0.0.1:${proxy.port}`,
    `http://${HOST}:${proxy.port}/`,
  ]);
  await pause(1000);
  redis.kill('SIGKILL');
  await control.close();
  const { stdout } = await load;
  const counted = /(\d+) succeeded, (\d+) failed, (\d+) errored/.exec(stdout);
  const good = Number(/status codes: (\d+) 2xx/.exec(stdout)?.[1] ?? 0);
  print(
    `${seconds} s at ${rate} requests/s without registry, orchestrator, identity, billing, events and Redis: ` +
      `${good} of ${wanted} answered with 2xx, ${Number(counted?.[2] ?? wanted)} failed, ${Number(counted?.[3] ?? wanted)} errored`,
  );
  return good === wanted;
}
