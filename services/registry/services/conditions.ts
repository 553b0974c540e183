import type { Condition } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { Pause } from '../store/paused.ts';
import type { RevisionRow } from '../store/tables.ts';
import type { ServiceState } from './service-state.ts';

type Status = Condition['status'];

interface Verdict {
  readonly status: Status;
  readonly since: Date;
  readonly reason?: string;
  readonly message?: string;
}

/** Knative's conditions of a revision, from the orchestrator's verdict on it. */
export function revisionConditions(revision: RevisionRow): Condition[] {
  const verdict = revisionVerdict(revision);
  return [condition('Ready', verdict), condition('ContainerHealthy', verdict)];
}

type RouteState = Pick<ServiceState, 'service' | 'newest' | 'ready' | 'rollout' | 'paused'>;

/** Knative's conditions of a service: the newest revision decides its configuration, any ready one its route. */
export function serviceConditions(state: RouteState): Condition[] {
  const configurations = configurationsVerdict(state);
  const routes = state.paused ? pausedVerdict(state.paused) : routesVerdict(state);
  return [
    condition('Ready', both(configurations, routes)),
    condition('ConfigurationsReady', configurations),
    condition('RoutesReady', routes),
  ];
}

function revisionVerdict(revision: RevisionRow): Verdict {
  const since = revision.state_since;
  switch (revision.state) {
    case 'ready':
      // It has answered once, so traffic stays with it; but what it runs ends again and again.
      if (revision.reason === 'CrashLoopBackOff') {
        return {
          status: 'False',
          since,
          reason: revision.reason,
          message: revision.message ?? 'Its instances keep ending',
        };
      }
      return { status: 'True', since };
    case 'failed':
      return {
        status: 'False',
        since,
        reason: revision.reason ?? 'Failed',
        message: revision.message ?? 'The revision did not become ready',
      };
    case 'pending':
      return {
        status: 'Unknown',
        since,
        reason: revision.reason ?? 'Deploying',
        message: revision.message ?? 'Waiting for a first instance to become ready',
      };
  }
}

function configurationsVerdict({ service, newest }: RouteState): Verdict {
  const verdict = revisionVerdict(newest);
  if (newest.state !== 'failed') return verdict;
  const serving = service.routed.filter(({ percent }) => percent > 0).map(({ revisionName }) => revisionName);
  const stays = serving.length === 0 ? '' : `, traffic stays with ${[...new Set(serving)].join(' and ')}`;
  const message = `Revision ${newest.name} failed (${verdict.reason})${stays}: ${verdict.message}`;
  return { ...verdict, reason: 'RevisionFailed', message };
}

function routesVerdict({ service, newest, ready, rollout }: RouteState): Verdict {
  if (service.route_problem !== null) {
    const { since, ...problem } = service.route_problem;
    return { ...problem, since: new Date(since) };
  }
  if (rollout?.state === 'running') {
    return { status: 'Unknown', since: rollout.started_at, reason: 'RolloutInProgress', message: rollout.sentence };
  }
  // A newer revision may do better; until it has proved itself, the route is what it was meant to be.
  if (rollout?.state === 'rolled-back' && rollout.to_revision_id === newest.id) {
    const since = rollout.ended_at ?? rollout.started_at;
    return { status: 'False', since, reason: 'RolledBack', message: rollout.sentence };
  }
  if (ready !== null) return { status: 'True', since: service.route_since ?? ready.state_since };
  if (newest.state === 'failed') {
    return {
      status: 'False',
      since: newest.state_since,
      reason: 'RevisionMissing',
      message: `No revision has become ready; the newest, ${newest.name}, failed`,
    };
  }
  return {
    status: 'Unknown',
    since: service.created_at,
    reason: 'RevisionMissing',
    message: 'No revision is ready yet',
  };
}

function pausedVerdict({ reason, since }: Pause): Verdict {
  const message = `The project is paused by its spending cap: ${reason}. Raise the budget, or wait for the next month`;
  return { status: 'False', since, reason: 'ProjectPaused', message };
}

/** Both must hold: what is false wins, then what is unknown. */
function both(first: Verdict, second: Verdict): Verdict {
  for (const status of ['False', 'Unknown'] as const) {
    const blocking = [first, second].find((verdict) => verdict.status === status);
    if (blocking) return blocking;
  }
  return { status: 'True', since: new Date(Math.max(first.since.getTime(), second.since.getTime())) };
}

function condition(type: Condition['type'], { status, since, reason, message }: Verdict): Condition {
  return {
    type,
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    lastTransitionTime: isoTime(since.getTime()),
  };
}
