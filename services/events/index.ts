export { createEventsService, type EventsDeps } from './app.ts';
export { type EventsConfig, eventsConfig } from './config.ts';
