let next = 0;

/** A key for a row that has no identity of its own until it is saved. */
export function makeRowKey(): string {
  next += 1;
  return `new-${next}`;
}
