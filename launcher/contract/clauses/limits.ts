import { z } from 'zod';
import { type Clause, clause, exactly } from '../clause.ts';
import type { Facts } from '../facts.ts';
import type { World } from '../world.ts';

const LIMITS = 'knative: Memory and CPU limits';
const MIB = 1_048_576;
const BURN_MS = 3_000;
/** The kernel hands a quota out per 100 ms and core: a short measurement may see a little more than its share. */
const TOLERANCE = 1.3;
/** More processes than this are not started to see whether there is an end. */
const MOST_PROCESSES = 1_200;

const burned = z.object({ share: z.number() });
const multiplied = z.object({ started: z.int(), refused: z.string().nullable() });

/** `limits` has 128 MiB and half a CPU, `crowd` room for as many processes as the platform allows. */
export async function limitClauses(world: World, { limits }: Facts): Promise<Clause[]> {
  const quota = limits.cpuQuota?.split(' ')[0] ?? '';
  const period = limits.cpuPeriod?.split(' ').at(-1) ?? '';
  const { share } = burned.parse(await world.json('limits', `/burn?ms=${BURN_MS}`));
  const bound = Number(limits.processes);
  const most = Math.min(bound, MOST_PROCESSES);
  const { started, refused } = multiplied.parse(await world.json('crowd', `/multiply?most=${most}`));
  return [
    clause('memory limit inside', LIMITS, `${128 * MIB} bytes`, exactly(limits.memory, 128 * MIB)),
    clause('CPU limit inside', LIMITS, 'half of the period', {
      seen: `${quota} of ${period}`,
      holds: Number(quota) * 2 === Number(period),
    }),
    clause('limit of processes inside', 'knative: Control Groups', 'a number', {
      seen: limits.processes ?? 'nothing',
      holds: bound > 0,
    }),
    clause('CPU limit enforced', LIMITS, `at most half a core in ${BURN_MS / 1000} s`, {
      seen: `${share.toFixed(2)} of a core`,
      holds: share <= 0.5 * TOLERANCE,
    }),
    clause('limit of processes enforced', 'knative: Control Groups', `refused before ${most}`, {
      seen: `${started} started, then ${refused ?? 'no refusal'}`,
      holds: refused === 'EAGAIN' && started < most,
    }),
    await memoryClause(world),
  ];
}

async function memoryClause(world: World): Promise<Clause> {
  await world.ask('limits', '/eat?mib=512');
  const ended = await world.until('the instance that ate too much has ended', async () =>
    (await world.instances('limits')).find(({ state }) => state === 'failed'),
  );
  return clause(
    'memory limit enforced',
    LIMITS,
    'OOMKilled, exit code 137',
    exactly(`${ended.reason}, exit code ${ended.exitCode}`, 'OOMKilled, exit code 137'),
  );
}
