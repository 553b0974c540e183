import type { UploadProgress } from '@skyrun/contracts';

export const UPLOAD_STEPS = ['Upload', 'Validate', 'Import'] as const;

export interface UploadView {
  /** Index into UPLOAD_STEPS of what happens now. */
  readonly step: number;
  /** 0–100 of that step. */
  readonly percent: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

const share = (bytes: number, total: number): number =>
  total === 0 ? 100 : Math.min(100, Math.floor((bytes / total) * 100));

/** What to show of an upload: bytes sent until the server says that it is further. */
export function viewOf(server: UploadProgress | null, sent: number, size: number): UploadView {
  switch (server?.phase) {
    case undefined:
    case 'receiving':
    case 'failed':
      return { step: 0, percent: share(sent, size), bytes: Math.min(sent, size), totalBytes: size };
    case 'validating':
    case 'importing': {
      const { bytes, totalBytes } = server;
      return { step: server.phase === 'validating' ? 1 : 2, percent: share(bytes, totalBytes), bytes, totalBytes };
    }
    case 'done':
      return { step: 2, percent: 100, bytes: size, totalBytes: size };
  }
}
