/**
 * A head twice: as bytes, which are looked at, and as latin-1 text, from which is cut what is kept. The character at `index` of
 * `text` is the byte at `base + index`. Bytes of one kind of array are read at the same speed however they came; V8 asks a text for
 * each character in which of its many ways it is kept.
 */
export interface HeadText {
  readonly bytes: Uint8Array;
  readonly base: number;
  readonly text: string;
}

/** `text`: latin-1. */
export function headText(text: string): HeadText {
  return { bytes: Buffer.from(text, 'latin1'), base: 0, text };
}
