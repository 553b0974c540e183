import { type Clock, httpTime } from '@skyrun/kit/base';

/** The field that every response has (RFC 9110 §6.6.1), made once a second. */
export class HttpDate {
  readonly #clock: Pick<Clock, 'now'>;
  #second = -1;
  #field = '';

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** With its CR LF. */
  field(): string {
    const now = this.#clock.now();
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#field = `Date: ${httpTime(now)}\r\n`;
    }
    return this.#field;
  }
}
