import type { Route } from '@skyrun/contracts';
import type { CallCount } from '../calls/call-book.ts';
import type { RequestFields } from '../http1/request-fields.ts';
import type { PlatformRouter } from '../platform/platform-router.ts';
import { isTenantHost, pickTarget } from '../routing/hosts.ts';
import type { RouteEntry, RouteTable } from '../routing/route-table.ts';
import type { TeamRoutes } from '../team/team-routes.ts';
import { pausedProblem, problemAnswer, textAnswer, waitingPage } from './answer.ts';
import type { Decision } from './core.ts';
import type { Destination } from './destination.ts';
import type { RequestHead } from './request-head.ts';

const ASKS_NOTHING = { responseFields: '', bounds: null, hidesToken: false, decidesCors: false } as const;
/** Sides of a split that a cookie can name. */
const SIDES = 1000;

/** Where in a split a request falls, in [0, 1): by chance, or where the cookie of a sticky service put its client. */
function pointOf(head: RequestHead, entry: RouteEntry): number {
  const { affinity } = head.fields;
  if (entry.route.sticky !== true) return entry.shares.length === 1 ? 0 : Math.random();
  if (affinity !== -1) return affinity / SIDES;
  const side = Math.floor(Math.random() * SIDES);
  head.affinityField = `Set-Cookie: skyrun-affinity=${side}; Path=/; HttpOnly; SameSite=Lax\r\n`;
  return side / SIDES;
}

/** Where a request goes: a tenant's revision by its host, or the platform on every host that is no tenant's. */
export function createDecide(options: {
  table: RouteTable;
  /** Services that teams run themselves. */
  teams: Pick<TeamRoutes, 'find'>;
  platform: PlatformRouter;
  baseDomain: string;
  /** Somebody wants the destination, and it has no instance. */
  activate: (destination: Destination) => void;
  /** Who calls a service that asks nothing, where a known API key says so. */
  callOf: (fields: RequestFields, route: Route) => CallCount | null;
  /** The answer to a certificate authority's question, if the target is one that was asked. */
  challenge?: (target: string) => string | null;
}): (head: RequestHead, address: string) => Decision {
  const { table, teams, platform, baseDomain, activate, callOf, challenge } = options;
  return (head, address) => {
    // Before routes: the authority asks hosts that have none yet.
    const answer = challenge?.(head.line.target) ?? null;
    if (answer !== null) return { kind: 'answer', answer: textAnswer(200, answer) };
    const { host, acceptsHtml } = head.fields;
    const entry = table.find(host);
    const destination =
      entry === undefined ? null : (pickTarget(entry.shares, pointOf(head, entry))?.destination ?? null);
    if (entry !== undefined && entry.guard !== null) {
      const verdict = entry.guard.check(head, address);
      if (verdict.kind === 'answer') return verdict;
      if (destination !== null) {
        if (entry.guard.waitingPage && wantsPage(head) && !destination.hasReady) {
          activate(destination);
          return { kind: 'answer', answer: waitingPage(entry.route.service, head.requestId) };
        }
        return { kind: 'forward', destination, admission: verdict.admission };
      }
    }
    if (destination !== null) {
      const call = entry === undefined ? null : callOf(head.fields, entry.route);
      return call === null
        ? destination.decision
        : { kind: 'forward', destination, admission: { ...ASKS_NOTHING, call } };
    }
    if (entry === undefined) {
      if (!isTenantHost(host, baseDomain)) return platform.decide(head);
      const team = teams.find(host);
      if (team !== undefined) {
        const verdict = team.guard.check(head, address);
        if (verdict.kind === 'answer') return verdict;
        return { kind: 'forward', destination: team.destination, admission: verdict.admission };
      }
    }
    if (entry?.route.blocked !== undefined) {
      const options = { ...pausedProblem, html: acceptsHtml, requestId: head.requestId };
      return { kind: 'answer', answer: problemAnswer('gateway.project_paused', options) };
    }
    const detail =
      entry === undefined
        ? `No service answers at ${host}. Is the name right, and is the service deployed?`
        : `The service at ${host} has no revision that takes traffic yet.`;
    return {
      kind: 'answer',
      answer: problemAnswer('gateway.no_route', { detail, html: acceptsHtml, requestId: head.requestId }),
    };
  };
}

/** A person in a browser who asks for a page: a reload does no harm. */
function wantsPage(head: RequestHead): boolean {
  return head.line.method === 'GET' && head.fields.acceptsHtml && head.fields.upgrade === '';
}
