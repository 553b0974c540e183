/** What counts as small, in bytes: passing it on costs far more than its bytes do. */
export const SMALL_PIECE_BYTES = 1024;
/** At some 30 µs for each, read and passed on, a quarter of a millisecond; what is left over goes on in the next turn. */
const PER_TURN = 8;

/** A connection that holds back a small piece of a request's body until its turn has come. */
export interface Delayed {
  passOn(): void;
}

/**
 * Shares the turns of the event loop between clients that send their bodies in small pieces and all others. A thousand bodies
 * that trickle may each bring a piece in the same moment; passed on at once they would hold up every other request for as
 * long as all of them take. So a turn passes on a few, and the next turns, in which others are read too, the rest in order.
 */
export class SmallPieces {
  #spent = 0;
  #queue: Delayed[] = [];
  #scheduled = false;

  /** Whether the piece may be passed on now. If not, `passOn` is called in one of the next turns. */
  mayPass(connection: Delayed): boolean {
    const now = this.#queue.length === 0 && this.#spent < PER_TURN;
    if (now) this.#spent += 1;
    else this.#queue.push(connection);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#nextTurn());
    }
    return now;
  }

  #nextTurn(): void {
    const due = this.#queue.splice(0, PER_TURN);
    this.#spent = due.length;
    this.#scheduled = due.length > 0;
    if (this.#scheduled) setImmediate(() => this.#nextTurn());
    for (const connection of due) connection.passOn();
  }
}
