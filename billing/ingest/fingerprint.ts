import { createHash } from 'node:crypto';
import type { UsageRow } from '../aggregate/usage-row.ts';

/** Hex of 16 bytes that tell a redelivery from another usage under the same key. */
export function fingerprintOf(row: Omit<UsageRow, 'priceList'>): string {
  const content = JSON.stringify([
    row.kind,
    row.service,
    row.revisionName,
    row.instanceId,
    row.windowStart,
    row.windowEnd,
    row.billingMode,
    row.cpuMilli,
    row.memoryMib,
    row.requests,
    row.bytesIn,
    row.bytesOut,
    row.busy,
    row.minInstance,
    // Left out where it says nothing new, so that rows from before there were states keep their fingerprint.
    ...(row.state === 'running' ? [] : [row.state]),
  ]);
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}
