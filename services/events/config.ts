import { type ConfigOf, configTypes, defineConfig } from '@skyrun/kit';

export const eventsConfig = defineConfig('events', {
  SKYRUN_EVENT_RETENTION_DAYS: {
    schema: configTypes.integer.min(1).max(3650),
    default: '30',
    doc: 'days that events stay in the history',
  },
  SKYRUN_FEED_BACKLOG: {
    schema: configTypes.integer.min(500).max(100_000),
    default: '2000',
    doc: 'unsent messages after which a live feed client counts as too slow and is disconnected',
  },
  SKYRUN_FEED_REPLAY: {
    schema: configTypes.integer.min(0).max(1_000_000),
    default: '10000',
    doc: 'missed events that a live feed client gets at most when it comes back',
  },
});

export type EventsConfig = ConfigOf<typeof eventsConfig>;
