const SECONDS = 10;

/** Responses of the last ten seconds and how many of them failed, counted by the second. */
export class FailureWindow {
  #total = new Uint32Array(SECONDS);
  #failed = new Uint32Array(SECONDS);
  #second = 0;

  /** `now` in monotonic ms. */
  observe(now: number, failed: boolean): void {
    this.#advance(now);
    const index = this.#second % SECONDS;
    this.#total[index] = (this.#total[index] ?? 0) + 1;
    if (failed) this.#failed[index] = (this.#failed[index] ?? 0) + 1;
  }

  counts(now: number): { readonly total: number; readonly failed: number } {
    this.#advance(now);
    return { total: sum(this.#total), failed: sum(this.#failed) };
  }

  clear(): void {
    this.#total.fill(0);
    this.#failed.fill(0);
  }

  #advance(now: number): void {
    const second = Math.floor(now / 1000);
    const gone = Math.min(SECONDS, second - this.#second);
    for (let step = 1; step <= gone; step += 1) {
      this.#total[(second - gone + step) % SECONDS] = 0;
      this.#failed[(second - gone + step) % SECONDS] = 0;
    }
    if (gone > 0) this.#second = second;
  }
}

function sum(counts: Uint32Array): number {
  let all = 0;
  for (const count of counts) all += count;
  return all;
}
