/**
 * Whether a request's target lies below a prefix, as it is written or as an instance may well read it: with escapes resolved,
 * `.` and `..` walked, and slashes that repeat taken for one. A limit of `/login` is one of `/%6Cogin` and `//login`, too.
 */
export function isBelow(target: string, prefix: string): boolean {
  return target.startsWith(prefix) || (/%|\/[/.]/.test(target) && plainPath(target).startsWith(prefix));
}

function plainPath(target: string): string {
  const query = target.indexOf('?');
  const path = unescaped(query === -1 ? target : target.slice(0, query));
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '.' && segment !== '') segments.push(segment);
  }
  return `/${segments.join('/')}${path.endsWith('/') && segments.length > 0 ? '/' : ''}`;
}

function unescaped(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // Escapes that are no UTF-8: each byte for itself.
    return path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

/** Groups of an IPv6 address that name its network: whoever has one address has the 2^64 beside it. */
const NETWORK_GROUPS = 4;

/** What stands for a client in a limit per address: an IPv4 address itself, the /64 of an IPv6 address. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const before = head.split(':').filter((group) => group !== '');
  if (tail === undefined) return before.slice(0, NETWORK_GROUPS).join(':');
  const after = tail.split(':').filter((group) => group !== '');
  const zeros = new Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return [...before, ...zeros, ...after].slice(0, NETWORK_GROUPS).join(':');
}
