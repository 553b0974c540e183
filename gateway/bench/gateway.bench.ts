import { parseArgs } from 'node:util';
import { benchGateway } from './against-nginx.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
    workload: { type: 'string', multiple: true, default: ['small', '10 KiB', 'POST'] },
    flags: { type: 'string' },
  },
});

const results = await benchGateway({
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  connections: Number(values.connections),
  workloads: values.workload,
  ...(values.flags === undefined ? {} : { nodeFlags: values.flags.split(' ').filter((flag) => flag !== '') }),
  print: (line) => process.stdout.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(results.map(({ workload, ratio }) => ({ workload, ratio })))}\n`);
