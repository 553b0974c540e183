const DAY_MS = 86_400_000;

/** One day of the log, UTC. */
export interface Partition {
  readonly name: string;
  /** Unix milliseconds, `[from, to)`. */
  readonly from: number;
  readonly to: number;
}

const NAME = /^log_(\d{4})(\d{2})(\d{2})$/;

export function partitionOf(time: number): Partition {
  const from = Math.floor(time / DAY_MS) * DAY_MS;
  const day = new Date(from).toISOString().slice(0, 10).replaceAll('-', '');
  return { name: `log_${day}`, from, to: from + DAY_MS };
}

/** The partitions that must exist for these times, each once. */
export function partitionsFor(times: readonly number[]): Partition[] {
  const found = new Map<string, Partition>();
  for (const time of times) {
    const partition = partitionOf(time);
    found.set(partition.name, partition);
  }
  return [...found.values()];
}

/** Today and the next days, made ahead so that midnight costs nothing. */
export function partitionsAhead(now: number, days = 3): Partition[] {
  return Array.from({ length: days }, (_, day) => partitionOf(now + day * DAY_MS));
}

/** Events from before this moment are not kept any more; the start of a day, because whole days are dropped. */
export function retentionStart(now: number, retentionDays: number): number {
  return partitionOf(now - retentionDays * DAY_MS).from;
}

/** Names of partitions that lie wholly before `start`; names that are not ours are left alone. */
export function expiredPartitions(names: readonly string[], start: number): string[] {
  return names.filter((name) => {
    const match = NAME.exec(name);
    if (!match) return false;
    const [, year, month, day] = match;
    return Date.parse(`${year}-${month}-${day}T00:00:00Z`) + DAY_MS <= start;
  });
}
