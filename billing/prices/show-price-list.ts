import { formatMoney, type PublicPriceList } from '@skyrun/contracts';
import { PRICED_UNITS, type PricedUnit, type PriceList } from './price-list.ts';

export function showPriceList(list: PriceList): PublicPriceList {
  const { id, name, title, effectiveFrom, currency, request, instance, egress, freeTier, discounts } = list;
  return {
    id,
    name,
    title,
    effectiveFrom,
    currency,
    request: {
      cpu: show(request.cpu),
      memory: show(request.memory),
      cpuIdle: show(request.cpu_idle),
      memoryIdle: show(request.memory_idle),
      requests: show(request.requests),
    },
    instance: {
      cpu: show(instance.cpu),
      memory: show(instance.memory),
      minimumSeconds: instance.minimumSeconds,
    },
    egress: egress.map(({ upToGib, price }) => ({ upToGib: upToGib ?? null, price: formatMoney(price) })),
    freeTier: freeTier.map(({ mode, meter, quantity, ...rest }) => ({ mode, meter, quantity, ...show(rest) })),
    discounts: discounts.map((discount) => ({
      name: discount.name,
      percent: formatMoney(discount.percent * 100_000_000n, 0),
    })),
  };
}

function show({ price, per }: { readonly price: bigint; readonly per: PricedUnit }) {
  return { price: formatMoney(price), per: PRICED_UNITS[per].label };
}
