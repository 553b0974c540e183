import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { dnsLabel } from '../names.ts';
import { callsObserved } from './calls.ts';
import { define } from './define.ts';
import { flowObserved } from './flow.ts';

/** Schemas, dead letters, flows, calls and subscriptions. */
export const PLATFORM_EVENTS = {
  'skyrun.schema.registered.v1': define(
    'skyrun.schema.registered.v1',
    'A team registered a version of the schema of one of its event types',
    'schemas/{type}',
    z.object({ project: dnsLabel, type: z.string(), version: z.int(), compatibility: z.string() }),
  ),
  'skyrun.letters.grown.v1': define(
    'skyrun.letters.grown.v1',
    'A consumer group has more dead letters than when it was looked at before',
    'groups/{group}',
    z.object({ group: z.string(), letters: z.int(), before: z.int() }),
  ),
  'skyrun.flow.observed.v1': define(
    'skyrun.flow.observed.v1',
    'What one consumer of a group has handled since it said so before; also says that the group is there',
    'groups/{group}',
    flowObserved,
    'ephemeral',
  ),
  'skyrun.calls.observed.v1': define(
    'skyrun.calls.observed.v1',
    'What team services asked of others through one gateway since it said so before',
    'gateways/{gateway}',
    callsObserved,
    'ephemeral',
  ),
  'skyrun.subscription.tested.v1': define(
    'skyrun.subscription.tested.v1',
    'Somebody pressed the test button of a push subscription; sent to its destination only',
    'subscriptions/{project}/{subscription}',
    z.object({ id: idSchema('subscription'), project: dnsLabel, name: dnsLabel }),
    'ephemeral',
  ),
} as const;
