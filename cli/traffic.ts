import type { RolloutPolicy, TrafficTarget } from '@skyrun/contracts';
import { UsageError } from './command.ts';
import { milliseconds } from './commands/load.ts';

/** How the latest ready revision is written, as gcloud has it. */
const LATEST = 'LATEST';

function targetOf(name: string): Pick<TrafficTarget, 'latestRevision' | 'revisionName'> {
  return name === LATEST ? { latestRevision: true } : { revisionName: name };
}

const nameOf = ({ revisionName }: TrafficTarget) => revisionName ?? LATEST;

/**
 * `web-00001=10,LATEST=90`: the named ones get that; what is left of 100 is divided among the others as they had it. Tags stay.
 * @throws UsageError
 */
export function retarget(current: readonly TrafficTarget[], given: string): TrafficTarget[] {
  const wanted = new Map<string, number>();
  for (const part of given.split(',')) {
    const [name = '', share = ''] = part.split('=');
    if (name === '' || !/^\d{1,3}$/.test(share) || Number(share) > 100 || wanted.has(name)) {
      throw new UsageError(`--to-revisions ${given}: expected REVISION=PERCENT[,…] such as web-00001=10,LATEST=90`);
    }
    wanted.set(name, Number(share));
  }
  const sum = [...wanted.values()].reduce((total, percent) => total + percent, 0);
  const others = current.filter((target) => !wanted.has(nameOf(target)));
  const had = others.reduce((total, { percent }) => total + percent, 0);
  if (sum > 100 || (sum < 100 && had === 0)) {
    throw new UsageError(`--to-revisions ${given}: the percentages add up to ${sum}; expected 100`);
  }
  const named = [...wanted].flatMap(([name, percent]) => {
    const known = current.filter((target) => nameOf(target) === name);
    const [first = { ...targetOf(name), percent: 0 }, ...rest] = known;
    return [{ ...first, percent }, ...rest.map((target) => ({ ...target, percent: 0 }))];
  });
  return [...named, ...divide(others, had, 100 - sum)].filter(({ percent, tag }) => percent > 0 || tag !== undefined);
}

/** Whole percents in the old proportions; the largest remainders get what rounding left. */
function divide(targets: readonly TrafficTarget[], had: number, rest: number): TrafficTarget[] {
  if (had === 0) return [...targets];
  const exact = targets.map(({ percent }) => (percent * rest) / had);
  const shares = exact.map(Math.floor);
  const order = exact
    .map((share, index) => ({ index, remainder: share - Math.floor(share) }))
    .toSorted((one, other) => other.remainder - one.remainder);
  let left = rest - shares.reduce((sum, share) => sum + share, 0);
  for (const { index } of order) {
    if (left === 0) break;
    shares[index] = (shares[index] ?? 0) + 1;
    left -= 1;
  }
  return targets.map((target, index) => ({ ...target, percent: shares[index] ?? 0 }));
}

/** `next=LATEST,v1=web-00001`; a tag that another revision has moves. */
export function retag(
  current: readonly TrafficTarget[],
  { set, remove }: { readonly set?: string | undefined; readonly remove?: string | undefined },
): TrafficTarget[] {
  let targets = [...current];
  for (const tag of remove?.split(',') ?? []) {
    if (!targets.some((target) => target.tag === tag))
      throw new UsageError(`--remove-tags ${tag}: there is no such tag`);
    targets = without(targets, tag);
  }
  for (const part of set?.split(',') ?? []) {
    const [tag = '', name = ''] = part.split('=');
    if (tag === '' || name === '') throw new UsageError(`--set-tags ${set}: expected TAG=REVISION[,…]`);
    targets = without(targets, tag);
    const free = targets.findIndex((target) => nameOf(target) === name && target.tag === undefined);
    const found = targets[free];
    if (found === undefined) targets.push({ ...targetOf(name), percent: 0, tag });
    else targets[free] = { ...found, tag };
  }
  return targets;
}

function without(targets: readonly TrafficTarget[], tag: string): TrafficTarget[] {
  return targets.flatMap((target) => {
    if (target.tag !== tag) return [target];
    const { tag: _removed, ...rest } = target;
    return rest.percent > 0 ? [rest] : [];
  });
}

/** `10%:30s,50%:2m`. */
export function parseRollout(text: string): RolloutPolicy['steps'] {
  return text.split(',').map((part) => {
    const match = /^(\d{1,2})%:(.+)$/.exec(part);
    if (match?.[2] === undefined)
      throw new UsageError(`--rollout ${text}: expected PERCENT%:TIME[,…] such as 10%:30s,50%:2m`);
    return { percent: Number(match[1]), seconds: Math.ceil(milliseconds(match[2], '--rollout') / 1000) };
  });
}
