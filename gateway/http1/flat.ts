/**
 * The same latin-1 text in one piece. V8 keeps what was put together as a tree of its parts and walks that for each copy; a
 * text that goes into many messages is worth being put together once.
 */
export function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
