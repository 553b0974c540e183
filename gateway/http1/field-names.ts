import { LOWER } from './characters.ts';

interface KnownName<Name extends string> {
  readonly name: Name;
  readonly bytes: Uint8Array;
}

/**
 * Finds out which of some field names stands in a head, however it is spelled, without making a text of each name that is none of
 * them: most fields of most requests are nothing to the gateway.
 */
export class FieldNames<Name extends string> {
  readonly #byLength: KnownName<Name>[][] = [];

  /** `names` in lower case. */
  constructor(names: readonly Name[]) {
    for (const name of names) {
      const known = { name, bytes: Uint8Array.from(Buffer.from(name, 'latin1')) };
      const sameLength = this.#byLength[name.length];
      if (sameLength === undefined) this.#byLength[name.length] = [known];
      else sameLength.push(known);
    }
    // Without holes, which would make each look-up slower.
    for (let length = 0; length < this.#byLength.length; length += 1) this.#byLength[length] ??= [];
  }

  /** The name from `start` to `end`, or ''. */
  find(bytes: Uint8Array, start: number, end: number): Name | '' {
    const length = end - start;
    if (length >= this.#byLength.length) return '';
    const sameLength = this.#byLength[length] ?? [];
    for (const known of sameLength) {
      const name = known.bytes;
      let index = 0;
      while (index < length && LOWER[bytes[start + index] ?? 0] === name[index]) index += 1;
      if (index === length) return known.name;
    }
    return '';
  }
}
