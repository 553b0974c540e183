import type { MetricWant, ScaleSchedule } from '@skyrun/contracts';
import { Cron } from 'croner';

/** The highest floor whose time it is: from a moment that its cron expression names, for its duration. */
export function scheduledFloor(schedules: readonly ScaleSchedule[], now: number): MetricWant | null {
  let highest: MetricWant | null = null;
  for (const { cron, timeZone, durationSeconds, minScale } of schedules) {
    if (!isActive(cron, timeZone, durationSeconds, now) || minScale <= (highest?.want ?? 0)) continue;
    const note = `${cron} in ${timeZone}`;
    highest = { metric: 'schedule', value: minScale, target: minScale, want: minScale, note };
  }
  return highest;
}

interface Known {
  readonly cron: Cron;
  /** The first moment of the expression within the last duration, as of `askedAt`; nothing changes before `until`. */
  active: boolean;
  until: number;
  askedAt: number;
}

const known = new Map<string, Known>();
/** Without a moment to wait for, it is asked again so much later. */
const ASK_AGAIN_MS = 86_400_000;

/** The next moment at which a schedule begins or ends; null without schedules. */
export function scheduleChangesAt(schedules: readonly ScaleSchedule[], now: number): number | null {
  const times = schedules.map(
    ({ cron, timeZone, durationSeconds }) => spanOf(cron, timeZone, durationSeconds, now).until,
  );
  return times.length === 0 ? null : Math.min(...times);
}

function isActive(expression: string, timeZone: string, durationSeconds: number, now: number): boolean {
  return spanOf(expression, timeZone, durationSeconds, now).active;
}

/** A cron expression costs more to follow than a comparison: asked again only when its answer can change. */
function spanOf(expression: string, timeZone: string, durationSeconds: number, now: number): Known {
  const key = `${timeZone} ${durationSeconds} ${expression}`;
  let found = known.get(key);
  if (!found) {
    // Nothing is run by it: it only answers questions about times.
    found = { cron: new Cron(expression, { timezone: timeZone, paused: true }), active: false, until: 0, askedAt: 0 };
    known.set(key, found);
  }
  if (now >= found.until || now < found.askedAt) Object.assign(found, spanAt(found.cron, durationSeconds * 1000, now));
  return found;
}

function spanAt(cron: Cron, durationMs: number, now: number): Omit<Known, 'cron'> {
  // `nextRun` answers a moment strictly after the one it is given.
  const begun = cron.nextRun(new Date(now - durationMs))?.getTime();
  if (begun === undefined) return { active: false, until: now + ASK_AGAIN_MS, askedAt: now };
  if (begun > now) return { active: false, until: begun, askedAt: now };
  return { active: true, until: begun + durationMs, askedAt: now };
}
