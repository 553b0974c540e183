import type { Execution } from './execution.ts';
import { verdictAfterWell, WELL_AFTER_MS } from './transitions.ts';

/** Takes back what was held against a revision once an instance of it has served for long enough since the last failure. */
export async function recover({ world, ledger, clock }: Execution): Promise<void> {
  const now = clock.now();
  for (const verdict of world.troubled()) {
    if (verdict.state !== 'ready' || now - verdict.failedAt < WELL_AFTER_MS) continue;
    const well = [...world.of(verdict.revisionId)].some(
      ({ record }) => record.state === 'ready' && now - (record.readyAt ?? now) >= WELL_AFTER_MS,
    );
    if (!well) continue;
    const next = verdictAfterWell(verdict);
    await ledger.write({ verdict: next });
    world.setVerdict(next);
  }
}
