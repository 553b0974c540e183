/**
 * Keeps the processes of a topology running.
 *
 *   waiting ─ dependencies ready ─► starting ─ answers ─► ready
 *                                      ▲  │ends            │ ends
 *                                      │  ▼                ▼
 *                                      └── backoff ◄───────┘          stop(): stopping ─► stopped
 *
 * A process that ends before everything has been ready once is tried `FIRST_TRIES` times, then the start has failed.
 * After that it is restarted for ever: a machine that runs must heal by itself.
 */
import { backoff, type Clock, isoTime } from '@skyrun/kit';
import { type GuardedProcess, startGuarded, untilReady } from '../infra/index.ts';
import type { ProcessSpec } from '../topology.ts';
import type { LogFiles } from './log-files.ts';
import type { ProcessReport } from './state.ts';
import { stopOrder } from './stop-order.ts';

const FIRST_TRIES = 3;
/** A process that ran so long was healthy: its next end starts the backoff from the beginning. */
const HEALTHY_AFTER_MS = 10_000;
/** For the longest grace that a tenant's container may have, and then some. */
const AFTER_END_MS = 60_000;

export interface SupervisorOptions {
  readonly specs: readonly ProcessSpec[];
  readonly logs: LogFiles;
  readonly clock: Clock;
  /** Called after every change. */
  readonly onChange: (processes: readonly ProcessReport[]) => void;
}

export interface Supervisor {
  /**
   * Resolves when every process has been ready.
   * @throws Error with the end of its log, when one cannot be brought up
   */
  start(): Promise<void>;
  /** Ends everything, dependents first. May come before start, during it, and twice. */
  stop(): Promise<void>;
  processes(): readonly ProcessReport[];
}

interface Member {
  readonly spec: ProcessSpec;
  report: ProcessReport;
  process: GuardedProcess | null;
  readonly firstReady: PromiseWithResolvers<void>;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { specs, logs, clock, onChange } = options;
  const delay = backoff({ baseMs: 200, maxMs: 10_000 });
  const stopping = new AbortController();
  let complete = false;
  const members = new Map<string, Member>(specs.map((spec) => [spec.name, newMember(spec)]));
  const loops: Promise<void>[] = [];
  const processes = (): ProcessReport[] => [...members.values()].map((member) => member.report);
  const rotation = setInterval(() => {
    try {
      logs.rotate();
    } catch (error) {
      // A full disk must not end what runs: it would take every process with it.
      console.error(`${isoTime(clock.now())} ${error instanceof Error ? error.message : String(error)}`);
    }
  }, 5_000);
  rotation.unref();

  function update(member: Member, change: Partial<ProcessReport>): void {
    member.report = { ...member.report, ...change };
    onChange(processes());
  }

  async function startOnce(member: Member): Promise<GuardedProcess> {
    const { spec } = member;
    const output = logs.open(spec.name);
    const from = clock.monotonic();
    const started = await startGuarded({ ...spec, output }).finally(() => logs.close(output));
    member.process = started;
    // stop() may have looked at this member while it was being started.
    if (stopping.signal.aborted) started.signal(spec.stopSignal);
    update(member, { state: 'starting', pid: started.pid, since: isoTime(clock.now()), readyAfterMs: null });
    await untilReady(spec.name, spec.ready, { timeoutMs: spec.readyWithinMs, gone: started.exited });
    if (!stopping.signal.aborted) {
      update(member, { state: 'ready', readyAfterMs: Math.round(clock.monotonic() - from) });
    }
    return started;
  }

  async function keep(member: Member): Promise<void> {
    const { spec } = member;
    for (const name of spec.startsAfter) await members.get(name)?.firstReady.promise;
    let failures = 0;
    while (!stopping.signal.aborted) {
      const from = clock.monotonic();
      let trouble = '';
      try {
        const running = await startOnce(member);
        member.firstReady.resolve();
        const { code, signal } = await running.exited;
        trouble = signal === null ? `ended with code ${code}` : `was killed by ${signal}`;
      } catch (error) {
        await member.process?.stop('SIGKILL', 1_000);
        trouble = error instanceof Error ? error.message : String(error);
      }
      member.process = null;
      if (stopping.signal.aborted) break;
      failures = clock.monotonic() - from > HEALTHY_AFTER_MS && member.report.readyAfterMs !== null ? 1 : failures + 1;
      update(member, {
        state: 'backoff',
        pid: null,
        lastExit: `${isoTime(clock.now())} ${trouble}`,
        restarts: member.report.restarts + 1,
      });
      if (!complete && failures >= FIRST_TRIES) {
        member.firstReady.reject(
          new Error(
            `${spec.name} does not start: ${trouble}\nits log (${logs.path(spec.name)}) ends with:\n${logs.tail(spec.name, 1_500)}`,
          ),
        );
        return;
      }
      // The first restart is at once: most ends are a kill, and waiting would only lengthen the gap.
      if (failures > 1) await clock.sleep(delay(failures), stopping.signal).catch(() => undefined);
    }
  }

  /** What fails here shows in the process's log; stopping goes on. */
  async function runAfterEnd({ spec, report }: Member): Promise<void> {
    if (spec.afterEnd === undefined || report.since === null) return;
    const output = logs.open(spec.name);
    const last = await startGuarded({ ...spec, args: spec.afterEnd, output }).finally(() => logs.close(output));
    const limit = new AbortController();
    const late = clock.sleep(AFTER_END_MS, limit.signal).then(
      () => last.stop('SIGKILL', 1_000),
      () => undefined,
    );
    await last.exited;
    limit.abort();
    await late;
  }

  return {
    processes,
    async start() {
      const ready = [...members.values()].map((member) => member.firstReady.promise);
      // A rejection belongs to whoever waits for it below; the dependents of a failed process just never start.
      for (const member of members.values())
        loops.push(keep(member).catch((error: Error) => member.firstReady.reject(error)));
      await Promise.all(ready);
      complete = true;
    },
    async stop() {
      stopping.abort();
      clearInterval(rotation);
      for (const level of stopOrder(specs)) {
        await Promise.all(
          level.map(async (name) => {
            const member = members.get(name);
            if (!member) return;
            if (member.process !== null) {
              update(member, { state: 'stopping' });
              await member.process.stop(member.spec.stopSignal, member.spec.stopGraceMs);
            }
            member.firstReady.reject(new Error('stopped'));
            await runAfterEnd(member);
            update(member, { state: 'stopped', pid: null });
          }),
        );
      }
      await Promise.all(loops);
    },
  };
}

function newMember(spec: ProcessSpec): Member {
  const firstReady = Promise.withResolvers<void>();
  // Waited for by start() and by dependents, but nobody waits when stop() comes first.
  firstReady.promise.catch(() => undefined);
  return {
    spec,
    process: null,
    firstReady,
    report: {
      name: spec.name,
      state: 'waiting',
      pid: null,
      port: spec.port,
      since: null,
      readyAfterMs: null,
      restarts: 0,
      lastExit: null,
    },
  };
}
