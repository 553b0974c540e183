import type { z } from 'zod';

export interface EventDefinition {
  readonly type: string;
  readonly summary: string;
  readonly data: z.ZodType;
  /** `history`: kept in the event log. `ephemeral`: live feed only, a gap costs nothing. */
  readonly retention: 'history' | 'ephemeral';
  /** How the subject is written. */
  readonly subject: string;
}

export const define = <Type extends string, Data extends z.ZodType>(
  type: Type,
  summary: string,
  subject: string,
  data: Data,
  retention: 'history' | 'ephemeral' = 'history',
) => ({ type, summary, subject, data, retention });
