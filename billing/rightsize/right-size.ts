/** Used CPU or memory over many measured minutes: the median of the medians, the 95th percentile of theirs, the highest. */
export interface Used {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

export interface MeasuredService {
  readonly service: string;
  /** Thousandths of a CPU, as the newest instances have it. */
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly cpuUsed: Used;
  readonly memoryUsed: Used;
  /** Minutes that were measured. */
  readonly windows: number;
  readonly instances: number;
}

export interface Recommendation {
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly verdict: 'fits' | 'shrink' | 'grow' | 'mixed' | 'too_little';
  readonly reason: string;
}

/** Fewer minutes than this say too little. */
export const ENOUGH_WINDOWS = 30;
/** The 95th percentile of used CPU is to be at most this much of what is requested, in percent, as the autoscaler's default target. */
const CPU_PERCENT = 70;
/** Memory ends an instance that needs more, so the highest use ever seen is to be at most this much, in percent. */
const MEMORY_PERCENT = 80;
/** An instance whose 95th percentile is above this share was held back by its limit: what it needs cannot be seen. */
const HELD_BACK = 0.95;

/** The sizes that are offered; in between is allowed, but a recommendation is rounded up to one of these. */
const CPU_SIZES = [100, 250, 500, 1_000, 2_000, 4_000, 6_000, 8_000];
const LARGEST_CPU = 8_000;
const MEMORY_SIZES = [64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768];

/** The smallest sizes that leave room above what was used. */
export function rightSize(measured: MeasuredService): Recommendation {
  const { cpuMilli, memoryMib, cpuUsed, memoryUsed, windows } = measured;
  if (windows < ENOUGH_WINDOWS) {
    const reason = `Only ${windows} of at least ${ENOUGH_WINDOWS} minutes are measured.`;
    return { cpuMilli, memoryMib, verdict: 'too_little', reason };
  }
  const heldBack = cpuUsed.p95 >= cpuMilli * HELD_BACK;
  const holdsCpu = (size: number) =>
    size * CPU_PERCENT >= cpuUsed.p95 * 100 && (!heldBack || size > cpuMilli || cpuMilli >= LARGEST_CPU);
  const cpu = fit(holdsCpu, cpuMilli, CPU_SIZES);
  const memory = fit((size) => size * MEMORY_PERCENT >= memoryUsed.max * 100, memoryMib, MEMORY_SIZES);
  const said = { cpuMilli: cpu, memoryMib: memory };
  return { ...said, verdict: verdictOf(measured, said), reason: reasonOf(measured) };
}

/** The smallest size that holds what was used; what is requested stays where no offered size is better. */
function fit(holds: (size: number) => boolean, requested: number, sizes: readonly number[]): number {
  const smallest = sizes.find(holds) ?? Math.max(requested, sizes.at(-1) ?? requested);
  return holds(requested) && requested <= smallest ? requested : smallest;
}

function verdictOf(
  was: Pick<MeasuredService, 'cpuMilli' | 'memoryMib'>,
  { cpuMilli, memoryMib }: Pick<Recommendation, 'cpuMilli' | 'memoryMib'>,
): Recommendation['verdict'] {
  const changes = [Math.sign(cpuMilli - was.cpuMilli), Math.sign(memoryMib - was.memoryMib)];
  if (changes.every((change) => change === 0)) return 'fits';
  if (changes.every((change) => change <= 0)) return 'shrink';
  return changes.every((change) => change >= 0) ? 'grow' : 'mixed';
}

function reasonOf({ cpuMilli, memoryMib, cpuUsed, memoryUsed, windows, instances }: MeasuredService): string {
  const share = (part: number, whole: number) => `${Math.max(1, Math.ceil((part / whole) * 100))} %`;
  const cpu =
    cpuUsed.p95 >= cpuMilli * HELD_BACK
      ? `the CPU limit held it back (p95 at ${share(cpuUsed.p95, cpuMilli)} of ${cpuMilli / 1000} vCPU)`
      : `95 % of the time it used at most ${share(cpuUsed.p95, cpuMilli)} of ${cpuMilli / 1000} vCPU`;
  const memory = `never more than ${share(memoryUsed.max, memoryMib)} of ${memoryMib} MiB`;
  return `Over ${windows} measured minutes of ${instances} ${instances === 1 ? 'instance' : 'instances'} ${cpu}, and ${memory}.`;
}
