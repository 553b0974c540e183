import type { Job } from '../jobs/job.ts';

/** Every item of a job once, as a tick does; throws what an item throws. */
export async function runOnce(job: Job): Promise<void> {
  for (const item of await job.items()) await job.run(item, new AbortController().signal);
}
