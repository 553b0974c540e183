import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
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
    expect(output).toMatch(new RegExp(`^${fault} +\\d+ +\\d+ +\\d{3,} +0 +0 +0 +0 `, 'm'));
});

test('an unknown fault or broker is refused with what there is', async () => {
  expect(await chaos(['--faults', 'earthquake'])).toMatchObject({
    code: 2,
    output: expect.stringContaining('kill, stop'),
  });
  expect(await chaos(['--broker', 'kafka'])).toMatchObject({ code: 2, output: expect.stringContaining('rabbitmq') });
});
