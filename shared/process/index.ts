export { platformConfig } from './config.ts';
export { type Platform, type ProcessOptions, runProcess } from './process.ts';
