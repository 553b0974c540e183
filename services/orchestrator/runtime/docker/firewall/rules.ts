import { createHash } from 'node:crypto';

/**
 * What keeps instances apart from the machine and from metadata services, as rules of the kernel's packet filter:
 *
 *   FORWARD → DOCKER-USER ─(from a bridge of ours)─► SKYRUN-x      what leaves the machine, or is sent on to a container
 *   INPUT ─────────────────(from a bridge of ours)─► SKYRUN-x-IN   what is for the machine itself
 *
 * Each installation has its own two chains, and each rule its comment, so that taking them away touches nobody else's.
 */
export interface NetworkRules {
  readonly installation: string;
  /** IPv4 ranges that containers may not reach, although they may reach the world. */
  readonly denied: readonly string[];
  /** IPv4 addresses of name servers: asked on port 53, wherever they are. */
  readonly resolvers: readonly string[];
  /** Interfaces beside those named by `bridgeName`: networks that were made before bridges had names. */
  readonly bridges: readonly string[];
}

export type Family = 4 | 6;

/** One rule of a chain that is not ours: packets from one interface go through our chain. */
export interface Jump {
  readonly chain: string;
  readonly rule: readonly string[];
}

const short = (text: string, digits: number) => createHash('sha256').update(text).digest('hex').slice(0, digits);

/** An interface's name has 15 characters at most. */
export function bridgeName(installation: string, project: string): string {
  return `sk${short(installation, 6)}${short(project, 7)}`;
}

/** Every interface of this installation, in the packet filter's words. */
export const bridgePattern = (installation: string): string => `sk${short(installation, 6)}+`;

export function chainsOf(installation: string): { readonly forward: string; readonly input: string } {
  const forward = `SKYRUN-${short(installation, 12)}`;
  return { forward, input: `${forward}-IN` };
}

const comment = (installation: string) => ['-m', 'comment', '--comment', `skyrun-${installation}`];

/** The jumps into our chains; Docker leaves `DOCKER-USER` to others, and asks it first. */
export function jumps({ installation, bridges }: NetworkRules, forwardFrom: string): Jump[] {
  const { forward, input } = chainsOf(installation);
  return [bridgePattern(installation), ...bridges].flatMap((bridge) =>
    [
      { chain: forwardFrom, target: forward },
      { chain: 'INPUT', target: input },
    ].map(({ chain, target }) => ({ chain, rule: jumpRule(installation, bridge, target) })),
  );
}

function jumpRule(installation: string, bridge: string, target: string): string[] {
  return ['-i', bridge, ...comment(installation), '-j', target];
}

/** The jumps of this installation in a listing of all rules (`iptables -S`), whatever bridges they are for. */
export function jumpsIn(listing: string, installation: string): Jump[] {
  const targets = Object.values(chainsOf(installation));
  return listing.split('\n').flatMap((line) => {
    const [, chain, bridge, target] = /^-A (\S+) -i (\S+) .*-j (\S+)$/.exec(line.trim()) ?? [];
    if (chain === undefined || bridge === undefined || target === undefined || !targets.includes(target)) return [];
    return [{ chain, rule: jumpRule(installation, bridge, target) }];
  });
}

/** Both chains, whole, for `iptables-restore --noflush`: what was in them before is replaced in one step. */
export function restoreScript(rules: NetworkRules, family: Family): string {
  const { forward, input } = chainsOf(rules.installation);
  const mark = comment(rules.installation).join(' ');
  const body = family === 4 ? fourRules(rules) : sixRules();
  const lines = [
    ...body.forward.map((rule) => `-A ${forward} ${rule.replace(' -j ', ` ${mark} -j `)}`),
    ...body.input.map((rule) => `-A ${input} ${rule.replace(' -j ', ` ${mark} -j `)}`),
  ];
  return ['*filter', `:${forward} - [0:0]`, `:${input} - [0:0]`, ...lines, 'COMMIT', ''].join('\n');
}

const ANSWERS = '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN';

/** A connection is reset: whoever tries is told at once, and does not wait. */
const refuse = (match: string) => [`${match} -p tcp -j REJECT --reject-with tcp-reset`, `${match} -j REJECT`];

function fourRules({ denied, resolvers }: NetworkRules): { forward: string[]; input: string[] } {
  const names = resolvers.flatMap((address) =>
    ['udp', 'tcp'].map((protocol) => `-d ${address}/32 -p ${protocol} --dport 53 -j RETURN`),
  );
  return {
    forward: [
      ANSWERS,
      ...names,
      // A port that the machine publishes for another container: the machine's address by a detour. A reset would come
      // from the address at its end, which nobody asked, and be ignored; this goes back the way the packet came.
      '-m conntrack --ctstate DNAT -j REJECT',
      ...denied.flatMap((range) => refuse(`-d ${range}`)),
    ],
    input: [ANSWERS, ...names, ...refuse('-m conntrack --ctstate NEW'), '-m conntrack --ctstate INVALID -j DROP'],
  };
}

/** Networks of projects have no IPv6; what the bridge's own link-local addresses would let through is refused. */
function sixRules(): { forward: string[]; input: string[] } {
  const all = refuse('-m conntrack --ctstate NEW,INVALID,UNTRACKED');
  return { forward: all, input: all };
}

/** Addresses of name servers in a `resolv.conf` that containers ask themselves; the engine asks loopback ones for them. */
export function resolversIn(text: string): string[] {
  const found = [...text.matchAll(/^\s*nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/gm)].flatMap((match) => match[1] ?? []);
  return [...new Set(found)].filter((address) => !address.startsWith('127.'));
}
