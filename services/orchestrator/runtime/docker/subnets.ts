/** An IPv4 range as numbers; `size` is a power of two. */
export interface Subnet {
  readonly first: number;
  readonly size: number;
}

/** Throws RangeError when the text is no IPv4 range such as `10.210.0.0/16`. */
export function parseSubnet(text: string): Subnet {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  const parts = (match?.slice(1, 5) ?? []).map(Number);
  const prefix = Number(match?.[5]);
  if (!match || parts.some((part) => part > 255) || prefix > 32) {
    throw new RangeError(`expected an IPv4 range such as 10.210.0.0/16, got ${text}`);
  }
  const size = 2 ** (32 - prefix);
  const address = parts.reduce((sum, part) => sum * 256 + part, 0);
  return { first: address - (address % size), size };
}

export function formatSubnet({ first, size }: Subnet): string {
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${bytes.join('.')}/${32 - Math.log2(size)}`;
}

function overlaps(a: Subnet, b: Subnet): boolean {
  return a.first < b.first + b.size && b.first < a.first + a.size;
}

/** The first range of `prefix` bits in the pool that touches none of `taken`; null when the pool is used up. */
export function freeSubnet(pool: Subnet, prefix: number, taken: readonly Subnet[]): Subnet | null {
  const size = 2 ** (32 - prefix);
  for (let first = pool.first; first + size <= pool.first + pool.size; first += size) {
    const candidate = { first, size };
    if (!taken.some((other) => overlaps(candidate, other))) return candidate;
  }
  return null;
}
