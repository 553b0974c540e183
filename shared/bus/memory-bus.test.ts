import { silentLogger, systemClock } from '@skyrun/kit';
import { busConformance } from './conformance/conformance.ts';
import { createBus } from './create-bus.ts';
import { MemoryBroker } from './memory-bus.ts';

const brokers = new Map<string, MemoryBroker>();

function brokerOf(namespace: string): MemoryBroker {
  const broker = brokers.get(namespace) ?? new MemoryBroker();
  brokers.set(namespace, broker);
  return broker;
}

busConformance('memory', () => ({
  connect: (namespace, retry) =>
    createBus({ kind: 'memory', clock: systemClock, logger: silentLogger, retry, broker: brokerOf(namespace) }),
  inject: async (namespace, type, body) => brokerOf(namespace).append(type, body),
}));
