import { EVENTS } from '@skyrun/contracts';
import { useState } from 'react';
import { useNow } from '../components/now.ts';
import { useLiveEvents } from '../live/provider.tsx';

/** An observation older than this says nothing of now. */
const FRESH_MS = 6000;
const TRAFFIC = EVENTS['skyrun.traffic.observed.v1'];

/** Requests per second of each service at this moment; null where nothing is known of it. */
export function useLiveRates(): (service: string) => number | null {
  const [rates, setRates] = useState<ReadonlyMap<string, { rate: number; at: number }>>(new Map());
  const now = useNow();
  useLiveEvents((event) => {
    if (event.type !== TRAFFIC.type) return;
    const traffic = TRAFFIC.data.safeParse(event.data);
    if (!traffic.success) return;
    const { service, requestsPerSecond } = traffic.data;
    setRates((known) => new Map(known).set(service, { rate: requestsPerSecond, at: Date.parse(event.time) }));
  });
  return (service) => {
    const known = rates.get(service);
    return known === undefined || now - known.at > FRESH_MS ? null : known.rate;
  };
}
