import { formatMoney, type PublicPriceList } from '@skyrun/contracts';
import { PRICED_UNITS, type PricedUnit, type PriceList, showPercent } from './price-list.ts';

export function showPriceList(list: PriceList): PublicPriceList {
  const { id, name, title, effectiveFrom, currency, request, instance, egress, freeTier, discounts, taxes } = list;
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
    paused: {
      cpu: show(list.paused?.cpu ?? request.cpu_idle),
      memory: show(list.paused?.memory ?? request.memory_idle),
    },
    egress: egress.map(({ upToGib, price }) => ({ upToGib: upToGib ?? null, price: formatMoney(price) })),
    freeTier: freeTier.map(({ mode, meter, quantity, ...rest }) => ({ mode, meter, quantity, ...show(rest) })),
    discounts: discounts.map(({ name, percent }) => ({ name, percent: showPercent(percent) })),
    taxes: taxes.map(({ name, percent }) => ({ name, percent: showPercent(percent) })),
  };
}

function show({ price, per }: { readonly price: bigint; readonly per: PricedUnit }) {
  return { price: formatMoney(price), per: PRICED_UNITS[per].label };
}
