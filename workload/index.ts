export { type Arrivals, type SteadyShape, steady } from './load/arrivals.ts';
export type { LoadReport, LoadSecond } from './load/report.ts';
export { type LoadOptions, type LoggedRequest, runLoad } from './load/run.ts';
