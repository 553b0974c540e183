/**
 * Usage is compared when it is so old, ms: by then both sources have reported it, also over a restart of either. What comes
 * later still is billed and not compared; `skyrun_billing_usage_uncompared_rows_total` counts it.
 */
export const SETTLED_MS = 180_000;
