import { runProcess } from '@skyrun/process';
import { composeControl } from './control.ts';

await runProcess({ name: 'control', create: composeControl });
