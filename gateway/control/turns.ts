/**
 * Gives work that can wait turns of the event loop, one piece in each, so that what requests wait for between two looks at
 * their sockets is never the sum of several.
 */
export class Turns {
  #waiting: (() => void)[] = [];

  /** Resolves in a turn that nobody else gets from here. */
  own(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(this.#next);
    });
  }

  /** What is asked for from within an immediate runs in the next turn. */
  readonly #next = () => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(this.#next);
  };
}
