import { parseArgs } from 'node:util';
import { benchGateway, WORKLOAD_NAMES } from './against-peers.ts';
import { PEERS } from './peers.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    workload: { type: 'string', multiple: true, default: ['small', '10 KiB', 'POST'] },
    peer: { type: 'string', multiple: true, default: ['nginx'] },
    all: { type: 'boolean', default: false },
    routes: { type: 'string', default: '1' },
    plain: { type: 'boolean', default: false },
    h2c: { type: 'boolean', default: false },
    flags: { type: 'string' },
  },
});

for (const [option, given, known] of [
  ['--workload', values.workload, WORKLOAD_NAMES],
  ['--peer', values.peer, Object.keys(PEERS)],
] as const) {
  const wrong = given.find((name) => !known.includes(name));
  if (wrong === undefined) continue;
  process.stderr.write(`${option} ${wrong} is not known; known are: ${known.join(', ')}\n`);
  process.exit(2);
}

const ratios = await benchGateway({
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  workloads: values.all ? WORKLOAD_NAMES : values.workload,
  peers: values.all ? Object.keys(PEERS) : values.peer,
  routes: Number(values.routes),
  policy: !values.plain,
  h2c: values.h2c,
  ...(values.flags === undefined ? {} : { nodeFlags: values.flags.split(' ').filter((flag) => flag !== '') }),
  print: (line) => process.stdout.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(ratios)}\n`);
