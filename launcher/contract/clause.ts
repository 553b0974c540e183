/** Where a clause is written. `knative`: the runtime contract of knative/specs; `cloud run`: Google's container contract. */
export type Source = `knative: ${string}` | `cloud run: ${string}` | `skyrun: ${string}`;

/** One sentence of a contract, and what a real container saw of it. */
export interface Clause {
  readonly clause: string;
  readonly source: Source;
  readonly expectation: string;
  readonly seen: string;
  readonly holds: boolean;
}

export function clause(
  name: string,
  source: Source,
  expectation: string,
  { seen, holds }: { readonly seen: string; readonly holds: boolean },
): Clause {
  return { clause: name, source, expectation, seen: seen.replaceAll('\n', ' '), holds };
}

/** Holds when what was seen is exactly this. */
export const exactly = (seen: unknown, wanted: unknown) => ({
  seen: String(seen ?? 'nothing'),
  holds: String(seen) === String(wanted),
});

/** Holds when an attempt was refused, whatever the reason. */
export const denied = (result: string) => ({ seen: result, holds: result !== 'ok' && result !== 'connected' });
