import { describe } from 'vitest';
import { closingPromises } from './closing.ts';
import { deliveryPromises } from './delivery.ts';
import { failurePromises } from './failure.ts';
import { orderPromises } from './order.ts';
import { outagePromises } from './outage.ts';
import { type BrokerUnderTest, useWorkbench } from './workbench.ts';

/** What every broker must do. `broker` is asked once per test. */
export function busConformance(name: string, broker: () => BrokerUnderTest): void {
  describe(`bus conformance: ${name}`, () => {
    const workbench = useWorkbench(name, broker);
    deliveryPromises(workbench);
    orderPromises(workbench);
    failurePromises(workbench);
    closingPromises(workbench);
    outagePromises(workbench);
  });
}
