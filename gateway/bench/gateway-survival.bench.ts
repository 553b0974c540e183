import { parseArgs } from 'node:util';
import { ATTACK_NAMES } from './survival/attacks.ts';
import { SCENARIO_NAMES, survive } from './survival.ts';

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true, default: [...SCENARIO_NAMES] },
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '1000' },
    attack: { type: 'string', multiple: true, default: [...ATTACK_NAMES] },
    attackers: { type: 'string', default: '1000' },
    mebibytes: { type: 'string', default: '5120' },
    sockets: { type: 'string', default: '5000' },
    drain: { type: 'string', default: '30' },
  },
});

for (const [option, given, known] of [
  ['--scenario', values.scenario, SCENARIO_NAMES],
  ['--attack', values.attack, ATTACK_NAMES],
] as const) {
  const wrong = given.find((name) => !known.includes(name));
  if (wrong === undefined) continue;
  process.stderr.write(`${option} ${wrong} is not known; known are: ${known.join(', ')}\n`);
  process.exit(2);
}

const held = await survive({
  scenarios: values.scenario,
  seconds: Number(values.seconds),
  rounds: Number(values.rounds),
  rate: Number(values.rate),
  attacks: values.attack,
  attackers: Number(values.attackers),
  mebibytes: Number(values.mebibytes),
  sockets: Number(values.sockets),
  drainSeconds: Number(values.drain),
  print: (line) => process.stdout.write(`${line}\n`),
});
process.stdout.write(held ? 'all held\n' : 'something did not hold: see above\n');
process.exit(held ? 0 : 1);
