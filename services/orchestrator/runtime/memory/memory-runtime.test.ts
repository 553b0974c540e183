import { systemClock } from '@skyrun/kit';
import { runtimeConformance } from '../conformance/conformance.ts';
import { createMemoryRuntime } from './memory-runtime.ts';
import { sampleProgram } from './program.ts';

const image = 'skyrun.local/conformance/app:1';
const runtime = createMemoryRuntime({ clock: systemClock, programs: new Map([[image, sampleProgram]]) });

runtimeConformance('memory', () => ({ runtime, clock: systemClock, image }));
