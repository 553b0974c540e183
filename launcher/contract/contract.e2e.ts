import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ROOT } from '../root.ts';

const clauses = z.array(
  z.object({ clause: z.string(), source: z.string(), expectation: z.string(), seen: z.string(), holds: z.boolean() }),
);

/** As a person would: a private Skyrun, started, looked at from inside its containers, and gone again. */
function contract(): Promise<{ code: number; output: string; errors: string }> {
  return new Promise((resolve) => {
    execFile(
      `${ROOT}/skyrun`,
      ['contract', '--private', '--json'],
      { maxBuffer: 16_000_000 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), output: stdout, errors: stderr }),
    );
  });
}

test('every clause of the container contract holds', async () => {
  const { code, output, errors } = await contract();
  if (output === '') throw new Error(errors);
  const seen = clauses.parse(JSON.parse(output));
  expect(seen.filter(({ holds }) => !holds)).toEqual([]);
  expect(seen.length).toBeGreaterThan(100);
  expect(code).toBe(0);
}, 600_000);
