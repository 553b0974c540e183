import { Problem } from '@skyrun/contracts';

/** Bounds how many uploads run at once, and with them the disk they take. One project never takes the last place. */
export interface UploadSlots {
  /** @throws Problem `platform.unavailable` where all are taken, or all that one project may have */
  take(project: string): () => void;
}

export function createUploadSlots(limit: number): UploadSlots {
  const ofOne = Math.max(1, limit - 1);
  const taken = new Map<string, number>();
  let all = 0;
  return {
    take(project) {
      const own = taken.get(project) ?? 0;
      if (all >= limit || own >= ofOne) {
        const whose = own >= ofOne ? ' of this project' : '';
        throw new Problem('platform.unavailable', {
          detail: `Too many uploads${whose} are in progress; try again when one has ended`,
          retryAfterSeconds: 5,
        });
      }
      all += 1;
      taken.set(project, own + 1);
      let given = false;
      return () => {
        if (given) return;
        given = true;
        all -= 1;
        const left = (taken.get(project) ?? 1) - 1;
        if (left === 0) taken.delete(project);
        else taken.set(project, left);
      };
    },
  };
}
