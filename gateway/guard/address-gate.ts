import { BlockList, isIP } from 'node:net';

/** Addresses whose verdict is kept; a flood of others empties the memory, so it stays bounded. */
const MOST_KNOWN = 10_000;

/**
 * Who may come, by address: nobody who is denied; where some are allowed, only they. What an address got is kept: asking a
 * BlockList makes an object of the address and costs a request 1 µs.
 */
export class AddressGate {
  #allow: BlockList | null;
  #deny: BlockList | null;
  #known = new Map<string, boolean>();
  #last: string | null = null;
  #lastVerdict = false;

  constructor(options: { allow: readonly string[]; deny: readonly string[] }) {
    this.#allow = addressList(options.allow);
    this.#deny = addressList(options.deny);
  }

  admits(address: string): boolean {
    if (this.#allow === null && this.#deny === null) return true;
    if (address !== this.#last) {
      this.#lastVerdict = this.#known.get(address) ?? this.#ask(address);
      this.#last = address;
    }
    return this.#lastVerdict;
  }

  #ask(address: string): boolean {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const denied = this.#deny?.check(address, family) === true;
    const verdict = !denied && (this.#allow === null || this.#allow.check(address, family));
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(address, verdict);
    return verdict;
  }
}

function addressList(entries: readonly string[]): BlockList | null {
  if (entries.length === 0) return null;
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
