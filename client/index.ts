export { connectSkyrun, type EventOf, type Handler, type Skyrun, type SkyrunOptions, type TypesOf } from './connect.ts';
export { applyOnce, createInboxTable, type EventIdentity } from './inbox.ts';
