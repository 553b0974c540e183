import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { ROOT } from '../root.ts';

/** As a person would, and with the same exit code; the long form is run by hand. */
function chaos(args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(`${ROOT}/skyrun`, ['chaos', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const hear = (piece: Buffer) => {
      output += piece.toString();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', reject);
    child.once('exit', (code) => resolve({ code: code ?? -1, output }));
  });
}

test.each([
  { broker: 'redis', faults: 'kill,database,cut,repeat' },
  { broker: 'rabbitmq', faults: 'kill,broker' },
])('over $broker nothing is lost, doubled or disordered by $faults', async ({ broker, faults }) => {
  const { code, output } = await chaos(['--broker', broker, '--faults', faults, '--commands', '200', '--times', '1']);
  expect(code, output).toBe(0);
  for (const fault of faults.split(','))
    expect(output).toMatch(new RegExp(`^${fault} +\\d+ +\\d+ +\\d+ +\\d{3,} +0 +0 +0 +0 `, 'm'));
});

test('Ctrl-C in the middle leaves neither a file nor a mounted disk', async () => {
  const place = mkdtempSync(join(tmpdir(), 'skyrun-interrupted-'));
  // The servers run as another account.
  chmodSync(place, 0o711);
  const command = [`${ROOT}/skyrun`, 'chaos', '--broker', 'redis', '--faults', 'disk'];
  const child = spawn('/usr/bin/env', [`TMPDIR=${place}`, ...command], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await vi.waitUntil(() => readdirSync(place).length > 0, { timeout: 60_000, interval: 100 });
  child.kill('SIGINT');
  const [code] = await ended;
  expect(code).toBe(130);
  expect(readdirSync(place)).toEqual([]);
  expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(place);
  rmdirSync(place);
}, 180_000);

test('an unknown fault or broker is refused with what there is', async () => {
  expect(await chaos(['--faults', 'earthquake'])).toMatchObject({
    code: 2,
    output: expect.stringContaining('kill, stop'),
  });
  expect(await chaos(['--broker', 'kafka'])).toMatchObject({ code: 2, output: expect.stringContaining('rabbitmq') });
});
