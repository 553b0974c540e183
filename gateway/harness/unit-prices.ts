import { gatewayCalls, type UnitPrices } from '@skyrun/contracts';
import type { Client } from '@skyrun/kit';

const per = (price: string) => ({ price, per: 'unit' });

/** One list at tier 1 prices, but for `cpu` per vCPU-second. */
export function unitPricesWith(cpu: string): UnitPrices {
  return {
    defaultList: 'tier-1',
    accounts: [],
    lists: [
      {
        id: 'tier-1@2024-01-01T00:00:00Z',
        name: 'tier-1',
        title: 'Tier 1',
        effectiveFrom: '2024-01-01T00:00:00Z',
        currency: 'USD',
        request: {
          cpu: per(cpu),
          memory: per('0.0000025'),
          cpuIdle: per('0'),
          memoryIdle: per('0'),
          requests: per('0.40'),
        },
        instance: { cpu: per('0'), memory: per('0'), minimumSeconds: 0 },
        egress: [],
        freeTier: [],
        discounts: [],
      },
    ],
  };
}

/** Billing as far as a gateway knows it. */
export function billingWith(cpu: string): Pick<Client, 'call'> {
  const prices = unitPricesWith(cpu);
  return {
    call: (operation) =>
      operation.id === gatewayCalls.listUnitPrices.id
        ? Promise.resolve(operation.response.parse(prices) as never)
        : Promise.reject(new Error(`unexpected ${operation.id}`)),
  };
}
