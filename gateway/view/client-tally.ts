/** A client's connection, as far as it is counted. */
export interface CountedConnection {
  readonly address: string;
  /** Requests it has sent since it came. */
  readonly requests: number;
  /** How many of them were counted in earlier windows: 0 at first, then the tally's to set. */
  counted: number;
}

export interface ClientCount {
  readonly address: string;
  requests: number;
  connections: number;
}

/** Beyond so many addresses in one window, further ones are not told apart: memory stays bounded under a flood. */
const MOST_ADDRESSES = 10_000;

/**
 * Requests per client address and window. A connection counts for itself and is asked when the window ends or it closes, so
 * that a request costs one addition.
 */
export class ClientTally {
  #counts = new Map<string, ClientCount>();

  closed(connection: CountedConnection): void {
    this.#count(connection);
  }

  /** Ends the window: the `most` busiest addresses, busiest first. */
  take(open: Iterable<CountedConnection>, most: number): ClientCount[] {
    for (const connection of open) {
      const count = this.#count(connection);
      if (count !== null) count.connections += 1;
      connection.counted = connection.requests;
    }
    const busiest = [...this.#counts.values()]
      .filter(({ requests }) => requests > 0)
      .sort((a, b) => b.requests - a.requests || (a.address < b.address ? -1 : 1))
      .slice(0, most);
    this.#counts = new Map();
    return busiest;
  }

  #count(connection: CountedConnection): ClientCount | null {
    const { address, requests, counted } = connection;
    let count = this.#counts.get(address);
    if (count === undefined) {
      if (this.#counts.size >= MOST_ADDRESSES) return null;
      count = { address, requests: 0, connections: 0 };
      this.#counts.set(address, count);
    }
    count.requests += requests - counted;
    return count;
  }
}
