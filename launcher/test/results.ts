import { z } from 'zod';

/** What vitest's JSON reporter writes, as far as it is read here. */
export const vitestResults = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string(), duration: z.number().nullish() })),
    }),
  ),
});

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly slow: readonly { readonly name: string; readonly ms: number }[];
}

/**
 * Count a run. A file that failed without a failed test (it could not be loaded, a hook threw) counts as one failure, and
 * so does an exit code that the results do not explain (an error outside of any test): neither may look like success.
 */
export function tally(results: z.infer<typeof vitestResults>, exitCode: number): Tally {
  const tests = results.testResults.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const failedTests = tests.filter((test) => test.status === 'failed').length;
  const brokenFiles = results.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const counted = failedTests + brokenFiles;
  return {
    passed,
    failed: counted === 0 && exitCode !== 0 ? 1 : counted,
    slow: tests.map((test) => ({ name: test.fullName, ms: test.duration ?? 0 })),
  };
}

export function slowest(tallies: readonly Tally[], count: number): string[] {
  return tallies
    .flatMap((each) => each.slow)
    .sort((one, other) => other.ms - one.ms)
    .slice(0, count)
    .map(({ name, ms }) => `  ${(ms / 1_000).toFixed(1).padStart(7)} s  ${name}`);
}
