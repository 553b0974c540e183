export { type BusConfig, type BusKind, createBus } from './create-bus.ts';
export { BusError, type BusErrorCode } from './errors.ts';
export type {
  DeadLetter,
  DeadLetterPage,
  DeadLetters,
  DeliveryContext,
  EventBus,
  EventHandler,
  GroupOptions,
  RetryPolicy,
  SubscribeOptions,
  Subscription,
} from './event-bus.ts';
export { MemoryBroker } from './memory-bus.ts';
export { type ObservedBusOptions, observeBus } from './observed-bus.ts';
export { type PatientBusOptions, patientBus } from './patient-bus.ts';
export { isTransientError } from './retry.ts';
