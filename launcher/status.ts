import type { Layout } from './layout.ts';
import type { ProcessReport } from './supervisor/state.ts';
import { runningState } from './up/follow.ts';

export interface Status {
  readonly running: boolean;
  readonly text: string;
  readonly json: object;
}

/** What runs, as text for people and as JSON for programs. */
export function status(layout: Layout): Status {
  const state = runningState(layout);
  if (state === null) {
    return { running: false, text: 'not running; ./skyrun up starts it', json: { running: false } };
  }
  const ui = `http://${state.baseDomain}:${state.gatewayPort}/`;
  const head = `${state.phase} since ${state.startedAt}, ${state.shape}, ${ui}, supervisor ${state.supervisor.pid}`;
  const { supervisor, ...rest } = state;
  return {
    running: state.phase === 'ready' && state.processes.every((process) => process.state === 'ready'),
    text: `${head}\n\n${table(state.processes)}\n\nlogs: ${layout.logs}`,
    json: { running: true, ui, logs: layout.logs, supervisorPid: supervisor.pid, ...rest },
  };
}

function table(processes: readonly ProcessReport[]): string {
  const rows = [
    ['PROCESS', 'STATE', 'PID', 'PORT', 'SINCE', 'RESTARTS', 'LAST END'],
    ...processes.map((process) => [
      process.name,
      process.state,
      String(process.pid ?? '-'),
      String(process.port),
      process.since ?? '-',
      String(process.restarts),
      process.lastExit ?? '',
    ]),
  ];
  const widths = rows[0]?.map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
