import { readdir, readFile, readlink } from 'node:fs/promises';
import { answers } from '../measure.ts';
import { pause } from './setting.ts';

/** States as the kernel numbers them. */
const LISTENING = '0A';
const ESTABLISHED = '01';
const WITHIN_MS = 60_000;

/** Resolves when the process listens on the port too, by `/proc`: who answers there cannot tell who did. */
export async function sharedBy(port: number, pid: number): Promise<void> {
  const limit = performance.now() + WITHIN_MS;
  while (performance.now() < limit) {
    const inodes = await listenersOf(port);
    const files = await readdir(`/proc/${pid}/fd`);
    const links = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
    if (links.some((link) => inodes.has(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? ''))) {
      // It listens only once it knows its routes; a request makes sure that the port serves.
      await answers(port);
      return;
    }
    await pause(50);
  }
  throw new Error(`process ${pid} does not listen on port ${port}`);
}

/** Connections that clients have open to the port. */
export async function connectionsTo(port: number): Promise<number> {
  return (await socketsAt(port)).filter((row) => row[3] === ESTABLISHED).length;
}

/** Inodes of the sockets that listen on the port. */
async function listenersOf(port: number): Promise<Set<string>> {
  return new Set((await socketsAt(port)).filter((row) => row[3] === LISTENING).flatMap((row) => row[9] ?? []));
}

/** The rows of `/proc/net/tcp` whose own port it is. */
async function socketsAt(port: number): Promise<string[][]> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((row) => row.trim().split(/\s+/));
  return rows.filter((row) => row[1]?.endsWith(wanted) === true);
}
