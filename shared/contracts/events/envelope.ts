import { z } from 'zod';
import { timestamp } from '../names.ts';
import { TEAM_TYPE } from './team-type.ts';

const CATALOGUE_TYPE = /^[a-z][a-z0-9-]*\.[a-z_]+\.[a-z_]+\.v\d+$/;

/**
 * CloudEvents 1.0 in structured JSON, with Skyrun's extension attributes: `project`, `sequence`
 * (grows by one per `subject` and source) and `traceparent` (W3C Trace Context).
 */
export const eventEnvelope = z.object({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  source: z.string().min(1).describe('the producing service, e.g. /skyrun/registry'),
  type: z.string().regex(new RegExp(`${CATALOGUE_TYPE.source}|${TEAM_TYPE.source}`)),
  subject: z.string().min(1).describe('the resource, e.g. services/demo/hello'),
  time: timestamp,
  datacontenttype: z.literal('application/json'),
  project: z.string().optional().describe('absent on events of the installation itself'),
  sequence: z.int().min(0),
  traceparent: z.string().optional(),
  data: z.unknown(),
});
export type EventEnvelope = z.infer<typeof eventEnvelope>;
