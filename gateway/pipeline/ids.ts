import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4096;

/**
 * Random hexadecimal text, cut from a pool because each draw from the system costs a call. The pool is used once.
 */
export class RandomHex {
  #bytes = Buffer.alloc(POOL_BYTES);
  #text = '';
  #used = 0;

  /** `digits` hexadecimal digits. */
  take(digits: number): string {
    if (this.#used + digits > this.#text.length) {
      randomFillSync(this.#bytes);
      this.#text = this.#bytes.toString('hex');
      this.#used = 0;
    }
    const cut = this.#text.slice(this.#used, this.#used + digits);
    this.#used += digits;
    return cut;
  }
}
