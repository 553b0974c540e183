import { describe } from 'vitest';
import { endingPromises } from './ending.ts';
import { fencingPromises } from './fencing.ts';
import { pausingPromises } from './pausing.ts';
import { startingPromises } from './starting.ts';
import { tellingPromises } from './telling.ts';
import { type ConformanceSubject, useWorkbench } from './workbench.ts';

/** What every runtime must do, whatever the engine. */
export function runtimeConformance(name: string, subject: () => ConformanceSubject): void {
  describe(`${name} runtime`, () => {
    const workbench = useWorkbench(subject);
    startingPromises(workbench);
    endingPromises(workbench);
    pausingPromises(workbench);
    fencingPromises(workbench);
    tellingPromises(workbench);
  });
}
