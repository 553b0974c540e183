import type { TrafficReport } from '@skyrun/contracts';
import type { Clock, Logger } from '@skyrun/kit';
import type { Leader } from '../reconcile/leader.ts';
import type { TrafficIntake } from '../traffic/intake.ts';

export interface ReportTraffic {
  readonly intake: TrafficIntake;
  readonly leader: Leader;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly report: TrafficReport;
}

/** Takes in what a gateway saw; where requests wait, an instance is on its way when this returns. */
export function reportTraffic({ intake, leader, clock, logger, report }: ReportTraffic): void {
  if (!intake.accept(report, clock.now())) return;
  for (const { revisionId, current, coldStarts = [] } of report.revisions) {
    if (current > 0) leader.activate(revisionId);
    else leader.trafficSeen(revisionId);
    for (const { instanceId, totalMs } of coldStarts) {
      leader.firstByte(instanceId, totalMs).catch((error: unknown) => {
        logger.debug({ error, instance: instanceId }, 'a first byte was not written down');
      });
    }
  }
}
