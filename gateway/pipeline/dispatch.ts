import type { RouteTable } from '../routing/route-table.ts';
import { pausedProblem } from './answer.ts';
import type { Destination } from './destination.ts';

export interface Dispatch {
  onWaiting(destination: Destination): void;
  drainRoom(destination: Destination, now: number): void;
  /** The destination is gone: who waits goes where the host leads now, or is told that there is nothing. */
  moveWaiting(destination: Destination, host: string | null, table: RouteTable, now: number): void;
  /** Serves, expires and asks again; called several times a second. */
  sweep(now: number): void;
}

/** Brings waiting requests and instances with room together. */
export function createDispatch(options: { activate: (destination: Destination) => void }): Dispatch {
  const waiting = new Set<Destination>();

  const drainRoom = (destination: Destination, now: number) => {
    const { room } = destination;
    while (room.size > 0) {
      const instance = destination.pick(now, null);
      if (instance === null) return;
      room.take()?.assign(instance, now);
    }
  };

  return {
    drainRoom,
    onWaiting(destination) {
      waiting.add(destination);
      if (destination.revision !== null && !destination.hasReady) options.activate(destination);
    },
    moveWaiting(destination, host, table, now) {
      waiting.delete(destination);
      for (const exchange of destination.room.takeAll()) {
        const next = host === null ? null : table.pick(host, Math.random());
        const blocked = host !== null && table.find(host)?.route.blocked !== undefined;
        if (next !== null) exchange.moveTo(next, now);
        else if (blocked) exchange.fail('gateway.project_paused', pausedProblem);
        else exchange.fail('gateway.no_route', { detail: 'The service was deleted.' });
      }
    },
    sweep(now) {
      for (const destination of waiting) {
        for (const exchange of destination.room.expire(now)) exchange.expire();
        drainRoom(destination, now);
        if (destination.room.size === 0) waiting.delete(destination);
        else if (destination.revision !== null && !destination.hasReady) options.activate(destination);
      }
    },
  };
}
