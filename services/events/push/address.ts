import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

export type Resolve = (host: string) => Promise<readonly Address[]>;

export const resolveHost: Resolve = async (host) =>
  (await lookup(host, { all: true })).map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));

const FORBIDDEN_V4 = blockList('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Link-local, and with it the metadata services of clouds.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]);

/** Global unicast is 2000::/3; in it, these lead to IPv4 or nowhere. */
const GLOBAL_V6 = blockList('ipv6', [['2000::', 3]]);
const FORBIDDEN_V6 = blockList('ipv6', [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);

function blockList(family: 'ipv4' | 'ipv6', subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, family);
  return list;
}

/** Whether an address is on the public internet: not private, loopback, link-local, metadata, multicast or reserved. */
export function isPublic({ address, family }: Address): boolean {
  if (family === 4) return !FORBIDDEN_V4.check(address, 'ipv4');
  return GLOBAL_V6.check(address, 'ipv6') && !FORBIDDEN_V6.check(address, 'ipv6');
}

export class ForbiddenAddressError extends Error {
  override readonly name = 'ForbiddenAddressError';
}

export interface AddressPolicy {
  readonly resolve: Resolve;
  readonly allowPrivate: boolean;
}

/**
 * The addresses of a host, all of which may be called: one that may not taints the others, as a name that leads to both is
 * how a check is cheated.
 * @throws ForbiddenAddressError
 */
export async function permittedAddresses(
  host: string,
  { resolve, allowPrivate }: AddressPolicy,
): Promise<readonly Address[]> {
  const bare = host.replace(/^\[|\]$/g, '');
  const literal = isIP(bare);
  const addresses = literal ? [{ address: bare, family: literal === 6 ? 6 : 4 } as const] : await resolve(bare);
  if (!allowPrivate && !addresses.every(isPublic)) {
    throw new ForbiddenAddressError(`${bare} leads to an address that is not on the public internet`);
  }
  return addresses;
}
