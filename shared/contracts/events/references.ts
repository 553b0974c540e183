import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { dnsLabel } from '../names.ts';

export const serviceRef = z.object({ project: dnsLabel, service: dnsLabel, serviceId: idSchema('service') });
export const revisionRef = serviceRef.extend({ revisionId: idSchema('revision'), revisionName: z.string() });
