import { Problem } from '@skyrun/contracts';

/** Bounds how many uploads run at once, and with them the disk they take. */
export interface UploadSlots {
  /** @throws Problem `platform.unavailable` where all are taken */
  take(): () => void;
}

export function createUploadSlots(limit: number): UploadSlots {
  let taken = 0;
  return {
    take() {
      if (taken >= limit) {
        throw new Problem('platform.unavailable', { detail: 'Too many uploads are in progress', retryAfterSeconds: 5 });
      }
      taken += 1;
      let given = false;
      return () => {
        if (!given) taken -= 1;
        given = true;
      };
    },
  };
}
