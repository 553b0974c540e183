// The background supervisor: `./skyrun up` starts it and reads how it is doing in state.json.
import { parseArgs } from 'node:util';
import { isoTime, systemClock } from '@skyrun/kit';
import { layoutOf } from '../layout.ts';
import { processId } from '../process-id.ts';
import { ROOT } from '../root.ts';
import { supervise } from './run.ts';

const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string' },
    port: { type: 'string' },
    distributed: { type: 'boolean' },
    while: { type: 'string' },
  },
});
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
process.on('SIGINT', () => stop.abort());
// The terminal that `up` ran in may be closed.
process.on('SIGHUP', () => undefined);

try {
  await supervise({
    layout: layoutOf(ROOT, values['data-dir']),
    shape: values.distributed ? 'distributed' : 'one-machine',
    gatewayPort: Number(values.port ?? 8080),
    clock: systemClock,
    signal: stop.signal,
    ...(values.while === undefined ? {} : { owner: processId(Number(values.while)) }),
  });
} catch (error) {
  console.error(`${isoTime(systemClock.now())} ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
