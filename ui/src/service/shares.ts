import type { Revision, Service, TrafficTarget } from '@skyrun/contracts';

/** One line of the traffic editor: a revision, or whichever is the latest. */
export interface Share {
  /** Null: the latest ready revision. */
  readonly revisionName: string | null;
  readonly percent: number;
  readonly tag: string;
}

export const keyOf = ({ revisionName }: Pick<Share, 'revisionName'>): string => revisionName ?? 'latest';

/** What the spec says, and after it the ready revisions that have nothing yet. */
export function sharesOf(service: Service, revisions: readonly Revision[]): Share[] {
  const given: Share[] = [];
  for (const { revisionName = null, percent, tag = '' } of service.spec.traffic) {
    const known = given.findIndex((share) => share.revisionName === revisionName && (share.tag === '' || tag === ''));
    const same = given[known];
    if (same === undefined) given.push({ revisionName, percent, tag });
    else given[known] = { ...same, percent: same.percent + percent, tag: same.tag === '' ? tag : same.tag };
  }
  const named = new Set(given.map(keyOf));
  const rest = revisions
    .filter(({ name, conditions }) => !named.has(name) && conditions.some(isReady))
    .slice(0, MOST_OFFERED)
    .map(({ name }): Share => ({ revisionName: name, percent: 0, tag: '' }));
  const latest: Share[] = named.has('latest') ? [] : [{ revisionName: null, percent: 0, tag: '' }];
  return [...latest, ...given, ...rest];
}

/** Revisions without traffic that are offered for some. */
const MOST_OFFERED = 5;

const isReady = ({ type, status }: Revision['conditions'][number]) => type === 'Ready' && status === 'True';

/** Gives one line a share and takes the difference from, or gives it to, the others in their proportions: always 100 in all. */
export function withShare(shares: readonly Share[], at: number, percent: number): Share[] {
  const rest = 100 - percent;
  const had = shares.reduce((sum, share, index) => (index === at ? sum : sum + share.percent), 0);
  // All others had nothing: the first of them takes what is left.
  const heir = at === 0 ? 1 : 0;
  const exact = shares.map((share, index) => {
    if (index === at) return percent;
    return had === 0 ? (index === heir ? rest : 0) : (share.percent * rest) / had;
  });
  const whole = exact.map(Math.floor);
  let left = 100 - whole.reduce((sum, share) => sum + share, 0);
  const order = exact
    .map((share, index) => ({ index, remainder: share - Math.floor(share) }))
    .filter(({ index }) => index !== at)
    .toSorted((one, other) => other.remainder - one.remainder);
  for (const { index } of order) {
    if (left <= 0) break;
    whole[index] = (whole[index] ?? 0) + 1;
    left -= 1;
  }
  return shares.map((share, index) => ({ ...share, percent: whole[index] ?? 0 }));
}

/** What the API is asked for: lines that have a share or a tag. */
export function targetsOf(shares: readonly Share[]): TrafficTarget[] {
  return shares
    .filter(({ percent, tag }) => percent > 0 || tag.trim() !== '')
    .map(({ revisionName, percent, tag }) => ({
      ...(revisionName === null ? { latestRevision: true } : { revisionName }),
      percent,
      ...(tag.trim() === '' ? {} : { tag: tag.trim() }),
    }));
}
