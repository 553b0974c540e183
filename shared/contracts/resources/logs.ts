import { z } from 'zod';
import { timestamp } from '../names.ts';

/** From the least to the most urgent. */
export const LOG_SEVERITIES = ['debug', 'info', 'warning', 'error', 'critical'] as const;
export const logSeverity = z.enum(LOG_SEVERITIES);
export type LogSeverity = z.infer<typeof logSeverity>;

export const logLine = z.object({
  at: timestamp,
  instanceId: z.string(),
  revisionName: z.string(),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
  severity: logSeverity.optional().describe('as the line itself says: a field of its JSON, or a word at its beginning'),
});
export type LogLine = z.infer<typeof logLine>;

/** Which lines of a service's logs; all that is given must hold. */
export const logFilter = z.object({
  search: z.string().max(200).optional().describe('text that the line contains, upper and lower case alike'),
  severity: logSeverity.optional().describe('at least so urgent; lines that do not say are left out'),
  stream: z.enum(['stdout', 'stderr']).optional(),
  instance: z.string().max(64).optional().describe('id of an instance, or the end of it'),
  revision: z.string().max(63).optional().describe('name of a revision'),
  since: timestamp.optional(),
  until: timestamp.optional().describe('lines before this moment'),
});
export type LogFilter = z.infer<typeof logFilter>;
