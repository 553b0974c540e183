import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { NodeReader } from '../http1/fuzz/node-reading.ts';
import { newTally, nodeAgrees, splitsAgree, type Tally } from '../http1/fuzz/properties.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { seed: { type: 'string' } } });
const minutes = Number(positionals[0] ?? '5');
if (!(minutes > 0)) {
  process.stderr.write('say for how many minutes: ./skyrun bench gateway-fuzz 5\n');
  process.exit(2);
}

/** One after the other for so long each, over and over, so that a search that is broken off has looked at both. */
const PIECE_MS = Math.min(30_000, minutes * 15_000);
const node = new NodeReader();

function search<Values extends unknown[]>(name: string, property: (tally: Tally) => fc.IRawProperty<Values>) {
  const tally = newTally();
  return {
    name,
    tally,
    cases: 0,
    /** What disagreed, as text; null where nothing did. */
    async run(ms: number, seed: number): Promise<string | null> {
      const { numRuns, failed, counterexample, counterexamplePath, errorInstance } = await fc.check(property(tally), {
        seed,
        numRuns: Number.MAX_SAFE_INTEGER,
        interruptAfterTimeLimit: ms,
        markInterruptAsFailure: false,
      });
      this.cases += numRuns;
      if (!failed) return null;
      return `seed ${seed}, path ${counterexamplePath}\n${Array.from(counterexample ?? [], shown).join('\n')}\n${String(errorInstance)}`;
    },
  };
}

function shown(value: unknown): string {
  return JSON.stringify(value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value);
}

const searches = [
  search('any split, any reader', splitsAgree),
  search("Node's parser", (tally) => nodeAgrees(node, tally)),
];
const end = performance.now() + minutes * 60_000;
let seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
process.stdout.write(`seeds from ${seed} on\n`);

while (performance.now() < end) {
  for (const one of searches) {
    const left = Math.min(PIECE_MS, end - performance.now());
    if (left <= 0) break;
    const disagreement = await one.run(left, seed);
    if (disagreement !== null) {
      process.stdout.write(`${one.name}: ${disagreement}\n`);
      process.exit(1);
    }
    seed += 1;
  }
}

for (const { name, cases, tally } of searches) {
  const { accepted, refused, incomplete } = tally;
  process.stdout.write(
    `${name}: ${cases} connections, ${accepted} requests accepted, ${refused} connections refused, ${incomplete} left incomplete; no disagreement\n`,
  );
}
