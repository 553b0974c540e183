interface Appointment {
  readonly id: string;
  readonly at: number;
}

/**
 * Which of many are to be looked at now: those of which there is news, and those whose time has come. Taking them costs what
 * is taken, however many there are.
 */
export class Agenda {
  readonly #news = new Set<string>();
  readonly #due = new Map<string, number>();
  /** A binary heap, soonest first; an appointment that was moved stays until it comes up, and is passed over. */
  readonly #heap: Appointment[] = [];

  /** There is news of it. */
  mark(id: string): void {
    this.#news.add(id);
  }

  /** Looked at again then, and not at the time that was set before; null: only where there is news. */
  at(id: string, at: number | null): void {
    if (at === null) {
      this.#due.delete(id);
      return;
    }
    if (this.#due.get(id) === at) return;
    this.#due.set(id, at);
    this.#push({ id, at });
  }

  forget(id: string): void {
    this.#news.delete(id);
    this.#due.delete(id);
  }

  /** Takes all that are to be looked at now, each once. */
  take(now: number): Set<string> {
    const taken = new Set(this.#news);
    this.#news.clear();
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      this.#pop();
      if (this.#due.get(first.id) !== first.at) continue;
      this.#due.delete(first.id);
      taken.add(first.id);
    }
    return taken;
  }

  #push(appointment: Appointment): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(appointment);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.at <= appointment.at) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = appointment;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const [left, right] = [heap[2 * index + 1], heap[2 * index + 2]];
      if (left === undefined) break;
      const [next, child] = right !== undefined && right.at < left.at ? [2 * index + 2, right] : [2 * index + 1, left];
      if (last.at <= child.at) break;
      heap[index] = child;
      index = next;
    }
    heap[index] = last;
  }
}
