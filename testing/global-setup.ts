import type { TestProject } from 'vitest/node';
import { shareServers } from './shared.ts';

declare module 'vitest' {
  interface ProvidedContext {
    sharedServers: string;
  }
}

/** vitest calls this once per project and run, in its main process. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = await shareServers();
  project.provide('sharedServers', shared.address);
  return shared.stop;
}
