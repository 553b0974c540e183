export { connectSkyrun, type Skyrun, type SkyrunOptions } from './connect.ts';
export { clientConfig, connectFromEnvironment } from './environment.ts';
export { applyOnce, createInboxTable, type EventIdentity } from './inbox.ts';
export type { Presence } from './presence.ts';
export type { TypeDescription } from './schemas.ts';
export type { DataOf, EventOf, Handler, HandlerContext, TeamEvents, TypesOf } from './types.ts';
