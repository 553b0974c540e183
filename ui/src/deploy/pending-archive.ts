import { createContext, useContext } from 'react';

/** Carries an archive that was dropped on another page to the deploy page. */
export interface PendingArchive {
  put(file: File): void;
  take(): File | null;
}

export function createPendingArchive(): PendingArchive {
  let held: File | null = null;
  return {
    put(file) {
      held = file;
    },
    take() {
      const file = held;
      held = null;
      return file;
    },
  };
}

export const PendingArchiveContext = createContext<PendingArchive>(createPendingArchive());
export const usePendingArchive = (): PendingArchive => useContext(PendingArchiveContext);
