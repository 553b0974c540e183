/** Byte classes of RFC 9110 §5.5, §5.6.2 and RFC 9112 §3.2 as look-up tables: 1 is allowed. */
function table(allowed: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (allowed(code) ? 1 : 0));
}

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const COLON = 0x3a;

const PUNCTUATION = new Set(Array.from("!#$%&'*+-.^_`|~", (character) => character.charCodeAt(0)));

export const TOKEN = table(
  (code) =>
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x61 && code <= 0x7a) ||
    PUNCTUATION.has(code),
);

/** Field values and reason phrases: visible ASCII, space, tab and obs-text; never CR, LF, NUL or another control. */
export const FIELD_VALUE = table((code) => code === HTAB || (code >= SPACE && code !== 0x7f));

/** Request targets: visible ASCII without `#`; a fragment never travels, so one that does is a mistake or an attack. */
export const TARGET = table((code) => code > SPACE && code < 0x7f && code !== 0x23);

/** Each byte, letters in lower case. */
export const LOWER = Uint8Array.from({ length: 256 }, (_, code) => (code >= 0x41 && code <= 0x5a ? code | 0x20 : code));

export function isToken(text: string): boolean {
  if (text === '') return false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0xff || TOKEN[code] === 0) return false;
  }
  return true;
}
