import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryDirectory } from '@skyrun/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { namespacesRefused } from '../../swarm/private-swarm.ts';
import { chainsOf } from './rules.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));
const INSTALLATION = 'modes';
const { forward, input } = chainsOf(INSTALLATION);

/** Sets the rules twice, then takes them away; prints what came of it. Runs in a process whose rights and tools are given. */
const PROGRAM = `
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { silentLogger, systemClock } from '@skyrun/kit';
import { createFirewall } from ${JSON.stringify(new URL('./firewall.ts', import.meta.url).href)};
const list = () => promisify(execFile)('iptables', ['-w', '10', '-S']).then(({ stdout }) => stdout, () => '');
const warnings = [];
const logger = { ...silentLogger, warn: (fields, text) => warnings.push(text) };
const options = { installation: '${INSTALLATION}', denied: ['169.254.0.0/16'], mode: process.argv[1], clock: systemClock, logger };
const one = createFirewall(options);
const refused = await one.ensure([]).then(() => null, ({ code, message }) => ({ code, message }));
const two = createFirewall(options);
await two.ensure([]).catch(() => undefined);
const state = one.state();
const set = await list();
await two.remove();
console.log(JSON.stringify({ refused, state, warnings, set, left: await list() }));
`;

interface Outcome {
  readonly refused: { readonly code: string; readonly message: string } | null;
  readonly state: string;
  readonly warnings: readonly string[];
  readonly set: string;
  readonly left: string;
}

async function outcome(mode: string, ...prefix: [string, ...string[]]): Promise<Outcome> {
  const [command, ...args] = prefix;
  const program = [process.execPath, '--input-type=module', '-e', PROGRAM, mode];
  const { stdout } = await run(command, [...args, ...program], { cwd: ROOT });
  return JSON.parse(stdout);
}

const refusal = process.getuid?.() === 0 ? await namespacesRefused() : 'only root makes network namespaces';
if (refusal !== null) console.warn(`ways of the packet filter are not tested: ${refusal}`);

describe.skipIf(refusal !== null)('the packet filter', () => {
  const tools = temporaryDirectory('iptables');
  beforeAll(() => {
    for (const variant of ['legacy', 'nft']) {
      mkdirSync(join(tools.path, variant));
      for (const family of ['iptables', 'ip6tables'])
        for (const suffix of ['', '-restore']) {
          const link = join(tools.path, variant, `${family}${suffix}`);
          symlinkSync(`/usr/sbin/${family}-${variant}${suffix}`, link);
        }
    }
  });
  afterAll(() => tools.remove());

  test.each(['legacy', 'nft'])(
    'is set once and taken away whole by iptables-%s, on a network of its own',
    async (variant) => {
      const withTools = ['sh', '-c', 'PATH="$0:$PATH" exec "$@"', join(tools.path, variant)];
      const { refused, state, warnings, set, left } = await outcome('required', 'unshare', '--net', ...withTools);
      expect({ refused, state, warnings }).toEqual({ refused: null, state: 'ok', warnings: [] });
      expect(set.match(new RegExp(`-A (INPUT|FORWARD) -i .* -j (${input}|${forward})$`, 'gm'))).toHaveLength(2);
      expect(set).toMatch(new RegExp(`-A ${forward} .*--ctstate DNAT .*-j REJECT`));
      expect(left).not.toContain('SKYRUN');
    },
  );

  test('whoever is not root is told what is open, and goes on', async () => {
    const { refused, state, warnings, set } = await outcome('auto', 'unshare', '--user');
    expect(refused).toBeNull();
    expect(state).toBe('not set: only root may change the packet filter');
    expect(warnings[0]).toMatch(/containers can reach servers of this machine.*run the orchestrator as root/);
    expect(set).toBe('');
  });

  test('whoever is not root starts nothing where the rules are required', async () => {
    const { refused, state } = await outcome('required', 'unshare', '--user');
    expect(refused).toMatchObject({ code: 'cannot_start', message: expect.stringContaining('SKYRUN_NETWORK_RULES') });
    expect(state).toBe('not set: only root may change the packet filter');
  });
});
