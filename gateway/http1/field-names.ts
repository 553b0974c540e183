import { LOWER } from './characters.ts';

/**
 * Finds out which of some field names stands in a text, however it is spelled, without making a text of each name that is none of
 * them: most fields of most requests are nothing to the gateway.
 */
export class FieldNames<Name extends string> {
  readonly #byLength: Name[][] = [];

  /** `names` in lower case. */
  constructor(names: readonly Name[]) {
    for (const name of names) {
      const sameLength = this.#byLength[name.length];
      if (sameLength === undefined) this.#byLength[name.length] = [name];
      else sameLength.push(name);
    }
    // Without holes, which would make each look-up slower.
    for (let length = 0; length < this.#byLength.length; length += 1) this.#byLength[length] ??= [];
  }

  /** The name from `start` to `end`, or ''. */
  find(text: string, start: number, end: number): Name | '' {
    const length = end - start;
    if (length >= this.#byLength.length) return '';
    const names = this.#byLength[length] ?? [];
    for (const name of names) {
      let index = 0;
      while (index < length && LOWER[text.charCodeAt(start + index)] === name.charCodeAt(index)) index += 1;
      if (index === length) return name;
    }
    return '';
  }
}
