import type { z } from 'zod';
import { BILLING_EVENTS } from './billing.ts';
import { IDENTITY_EVENTS } from './identity.ts';
import { ORCHESTRATOR_EVENTS } from './orchestrator.ts';
import { PLATFORM_EVENTS } from './platform.ts';
import { REGISTRY_EVENTS } from './registry.ts';

/** Every event type, by what it is about. Publishing or consuming one that is not here is an error. */
export const EVENTS = {
  ...IDENTITY_EVENTS,
  ...REGISTRY_EVENTS,
  ...ORCHESTRATOR_EVENTS,
  ...BILLING_EVENTS,
  ...PLATFORM_EVENTS,
} as const;

export type EventType = keyof typeof EVENTS;
export type EventData<Type extends EventType> = z.infer<(typeof EVENTS)[Type]['data']>;

export const EVENT_TYPES = Object.keys(EVENTS) as EventType[];

export function isEventType(type: string): type is EventType {
  return Object.hasOwn(EVENTS, type);
}
