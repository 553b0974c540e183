export { type Arrivals, poisson, type SteadyShape, steady } from './load/arrivals.ts';
export type { LoadReport, LoadSecond } from './load/report.ts';
export { type LoadOptions, type LoggedRequest, runLoad } from './load/run.ts';
export { type KeptLoadOptions, type KeptPercentiles, type KeptReport, runKeptLoad } from './load/run-kept.ts';
