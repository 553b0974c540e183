import type { TrafficReport } from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';
import type { Leader } from '../reconcile/leader.ts';
import type { TrafficIntake } from '../traffic/intake.ts';

export interface ReportTraffic {
  readonly intake: TrafficIntake;
  readonly leader: Leader;
  readonly clock: Clock;
  readonly report: TrafficReport;
}

/** Takes in what a gateway saw; where requests wait, an instance is on its way when this returns. */
export function reportTraffic({ intake, leader, clock, report }: ReportTraffic): void {
  if (!intake.accept(report, clock.now())) return;
  for (const { revisionId, current } of report.revisions) if (current > 0) leader.activate(revisionId);
}
