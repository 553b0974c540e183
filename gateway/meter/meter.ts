import { BILLED_TICK_MS, type StatusClasses } from '@skyrun/contracts';

export const WINDOW_MS = 1000;
/** A wall clock that differs by more than this was set: a new clock run begins, so that no key comes twice. */
const STEP_MS = 50;
/** How much of a smaller difference is made up per roll. */
const SLEW_MS = 1;

/** Whose usage it is. */
export interface MeteredRevision {
  readonly project: string;
  readonly service: string;
  readonly serviceId: string;
  readonly revisionId: string;
  readonly revisionName: string;
  readonly billingMode: 'request' | 'instance';
  readonly cpuMilli: number;
  readonly memoryMib: number;
}

/** What one instance did in one closed window. Times are Unix ms. */
export interface WindowUsage {
  readonly revision: MeteredRevision;
  readonly instanceId: string;
  /** Which run of the clock `windowStart` belongs to. */
  readonly clockRun: number;
  readonly windowStart: number;
  readonly windowEnd: number;
  readonly requests: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly busy: [number, number][];
  readonly busyMs: number;
  readonly statusClasses: StatusClasses;
}

/** The open window of one revision on one instance; `instanceId` is '' for requests that no instance answered. */
export class InstanceMeter {
  revision: MeteredRevision;
  readonly instanceId: string;
  bytesIn = 0;
  bytesOut = 0;
  requests = 0;
  classes = [0, 0, 0, 0, 0];
  inFlight = 0;
  spanStart = 0;
  /** Where the run of busy time began that ticks are counted from. */
  runStart = 0;
  /** To where the last run was rounded up; a request before that goes on with the run. */
  runEnd = 0;
  busy: [number, number][] = [];
  touched = false;

  constructor(revision: MeteredRevision, instanceId: string) {
    this.revision = revision;
    this.instanceId = instanceId;
  }
}

/**
 * Measures in windows of one second of Unix time. An instance is busy while at least one request is in flight, so
 * its spans are the union of overlapping requests: a span opens when the first begins and closes when the last ends,
 * at millisecond resolution, start rounded down and end up, clipped to the window.
 *
 * In request-based billing an instance that gets busy is so until the next full tick after it is idle again: a request of
 * 30 ms takes 100, and three of them one after the other as long as they take, up to the next tick. Ticks are counted from
 * where the run began. So what is rounded up is in the spans, and their union over gateways stays what is billed.
 *
 * Time comes in as monotonic ms and is mapped to Unix ms by a base that moves only between two windows, so a clock
 * that is set cannot make a request longer: the jump is in no span.
 */
export class Meter {
  #base: number;
  #windowEnd: number;
  #clockRun = 0;
  #touched: InstanceMeter[] = [];
  #onWindow: (usages: WindowUsage[], end: number, active: boolean) => void;
  #onActive: (at: number) => void;

  constructor(options: {
    now: number;
    monotonic: number;
    /** A window closed; empty when nothing was measured in it. `active`: requests are in flight beyond its end. */
    onWindow: (usages: WindowUsage[], end: number, active: boolean) => void;
    /** The first use in a window in which there was none. */
    onActive: (at: number) => void;
  }) {
    this.#base = options.now - options.monotonic;
    this.#windowEnd = windowStart(options.now) + WINDOW_MS;
    this.#onWindow = options.onWindow;
    this.#onActive = options.onActive;
  }

  /** A request reaches an instance. */
  begin(meter: InstanceMeter, monotonic: number): void {
    const at = this.#at(monotonic);
    if (!meter.touched) this.#touch(meter, at);
    if (meter.inFlight === 0) {
      meter.spanStart = Math.floor(at);
      // Before its run began: the clock was set back since.
      if (meter.spanStart > meter.runEnd || meter.spanStart < meter.runStart) meter.runStart = meter.spanStart;
    }
    meter.inFlight += 1;
  }

  /** A request that began ends; with status 0 it moves to another instance and is not counted. */
  end(meter: InstanceMeter, monotonic: number, status: number): void {
    const at = this.#at(monotonic);
    if (status !== 0) count(meter, status);
    meter.inFlight -= 1;
    if (meter.inFlight !== 0) return;
    meter.runEnd = endOfRun(meter, Math.ceil(at));
    closeSpan(meter, Math.min(meter.runEnd, this.#windowEnd));
  }

  /** A request that no instance saw. */
  answered(meter: InstanceMeter, monotonic: number, status: number): void {
    const at = this.#at(monotonic);
    if (!meter.touched) this.#touch(meter, at);
    count(meter, status);
  }

  /** Closes what is over and follows the wall clock; called each second. */
  roll(monotonic: number, now: number): void {
    const at = this.#at(monotonic);
    const ahead = at - now;
    if (Math.abs(ahead) > STEP_MS) this.#startRun(monotonic, now);
    else if (at - SLEW_MS >= this.#windowEnd - WINDOW_MS) this.#base -= Math.max(-SLEW_MS, Math.min(SLEW_MS, ahead));
  }

  /** Closes the open window early, for a process that ends. */
  finish(monotonic: number, now: number): void {
    this.#startRun(monotonic, now);
  }

  #at(monotonic: number): number {
    const at = this.#base + monotonic;
    while (at >= this.#windowEnd) {
      this.#close(this.#windowEnd);
      this.#windowEnd = this.#touched.length === 0 ? windowStart(at) + WINDOW_MS : this.#windowEnd + WINDOW_MS;
    }
    return at;
  }

  #touch(meter: InstanceMeter, at: number): void {
    if (this.#touched.length === 0) this.#onActive(Math.floor(at));
    meter.touched = true;
    this.#touched.push(meter);
  }

  #close(end: number): void {
    const start = this.#windowEnd - WINDOW_MS;
    const closed = this.#touched;
    this.#touched = [];
    const usages: WindowUsage[] = [];
    for (const meter of closed) {
      if (meter.inFlight > 0) closeSpan(meter, end);
      clip(meter, end);
      usages.push(usageOf(meter, this.#clockRun, start, end));
      reset(meter);
      const tail = meter.inFlight === 0 && meter.runEnd > end;
      if (meter.inFlight === 0 && !tail) continue;
      meter.spanStart = end;
      this.#touched.push(meter);
      meter.touched = true;
      // A tick is shorter than a window.
      if (tail) closeSpan(meter, meter.runEnd);
    }
    this.#onWindow(usages, end, this.#touched.length > 0);
  }

  /** Ends the window where it stands; open spans go on at the new time, so a leap of the clock counts as nothing. */
  #startRun(monotonic: number, now: number): void {
    this.#close(Math.ceil(this.#at(monotonic)));
    this.#clockRun += 1;
    this.#base = now - monotonic;
    this.#windowEnd = windowStart(now) + WINDOW_MS;
    for (const meter of this.#touched) {
      meter.spanStart = Math.floor(now);
      meter.runStart = meter.spanStart;
    }
    // What is left of a tick is not carried over to another time.
    this.#touched = this.#touched.filter((meter) => {
      meter.runEnd = 0;
      meter.busy = [];
      if (meter.inFlight === 0) meter.touched = false;
      return meter.inFlight > 0;
    });
  }
}

function windowStart(now: number): number {
  return Math.floor(now / WINDOW_MS) * WINDOW_MS;
}

function count(meter: InstanceMeter, status: number): void {
  meter.requests += 1;
  const index = Math.floor(status / 100) - 1;
  meter.classes[index] = (meter.classes[index] ?? 0) + 1;
}

function endOfRun({ revision, runStart }: InstanceMeter, end: number): number {
  if (revision.billingMode !== 'request') return end;
  return runStart + Math.ceil((end - runStart) / BILLED_TICK_MS) * BILLED_TICK_MS;
}

/** A window that ends early ends its last span too. */
function clip(meter: InstanceMeter, end: number): void {
  meter.busy = meter.busy.filter((span) => span[0] < end);
  const last = meter.busy[meter.busy.length - 1];
  if (last !== undefined && last[1] > end) last[1] = end;
}

function closeSpan(meter: InstanceMeter, end: number): void {
  const start = meter.spanStart;
  if (end <= start) return;
  const last = meter.busy[meter.busy.length - 1];
  if (last !== undefined && start <= last[1]) {
    if (end > last[1]) last[1] = end;
  } else meter.busy.push([start, end]);
}

function usageOf(meter: InstanceMeter, clockRun: number, start: number, end: number): WindowUsage {
  const [c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0] = meter.classes;
  let busyMs = 0;
  for (const span of meter.busy) busyMs += span[1] - span[0];
  return {
    revision: meter.revision,
    instanceId: meter.instanceId,
    clockRun,
    windowStart: start,
    windowEnd: end,
    requests: meter.requests,
    bytesIn: meter.bytesIn,
    bytesOut: meter.bytesOut,
    busy: meter.busy,
    busyMs,
    statusClasses: { '1xx': c1, '2xx': c2, '3xx': c3, '4xx': c4, '5xx': c5 },
  };
}

function reset(meter: InstanceMeter): void {
  meter.bytesIn = 0;
  meter.bytesOut = 0;
  meter.requests = 0;
  meter.classes = [0, 0, 0, 0, 0];
  meter.busy = [];
  meter.touched = false;
}
