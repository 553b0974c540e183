import type { PlatformRouter } from '../platform/platform-router.ts';
import { isTenantHost } from '../routing/hosts.ts';
import type { RouteTable } from '../routing/route-table.ts';
import { pausedProblem, problemAnswer, textAnswer } from './answer.ts';
import type { Decision } from './core.ts';
import type { RequestHead } from './request-head.ts';

/** Sides of a split that a cookie can name. */
const SIDES = 1000;

/** Where in a split a request falls, in [0, 1): by chance, or where the cookie of a sticky service put its client. */
function pointOf(head: RequestHead, table: RouteTable): number {
  const { host, affinity } = head.fields;
  if (table.find(host)?.route.sticky !== true) return Math.random();
  if (affinity !== -1) return affinity / SIDES;
  const side = Math.floor(Math.random() * SIDES);
  head.affinityField = `Set-Cookie: skyrun-affinity=${side}; Path=/; HttpOnly; SameSite=Lax\r\n`;
  return side / SIDES;
}

/** Where a request goes: a tenant's revision by its host, or the platform on every host that is no tenant's. */
export function createDecide(options: {
  table: RouteTable;
  platform: PlatformRouter;
  baseDomain: string;
  /** The answer to a certificate authority's question, if the target is one that was asked. */
  challenge?: (target: string) => string | null;
}): (head: RequestHead) => Decision {
  const { table, platform, baseDomain, challenge } = options;
  return (head) => {
    // Before routes: the authority asks hosts that have none yet.
    const answer = challenge?.(head.line.target) ?? null;
    if (answer !== null) return { kind: 'answer', answer: textAnswer(200, answer) };
    const { host, acceptsHtml } = head.fields;
    const destination = table.pick(host, pointOf(head, table));
    if (destination !== null) return destination.decision;
    const entry = table.find(host);
    if (!isTenantHost(host, baseDomain) && entry === undefined) return platform.decide(head);
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
