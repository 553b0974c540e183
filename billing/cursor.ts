import { Problem } from '@skyrun/contracts';

/** Opaque to callers; `parts` are the numbers a page goes on after. */
export function encodeCursor(parts: readonly number[]): string {
  return Buffer.from(parts.join('.')).toString('base64url');
}

/** Throws `request.invalid` for a cursor that is not one of ours. */
export function decodeCursor(cursor: string | undefined, length: number): number[] | null {
  if (cursor === undefined) return null;
  const parts = Buffer.from(cursor, 'base64url').toString('latin1').split('.');
  if (parts.length !== length || !parts.every((part) => /^\d{1,16}$/.test(part))) {
    throw new Problem('request.invalid', {
      detail: 'cursor: expected the nextCursor of an earlier page',
      errors: [{ field: 'cursor', message: 'expected the nextCursor of an earlier page' }],
    });
  }
  return parts.map(Number);
}
