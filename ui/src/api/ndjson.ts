/** Cuts a text that arrives in pieces into lines; the last, unfinished one is kept for the next piece. */
export class LineSplitter {
  #rest = '';

  push(piece: string): string[] {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.filter((line) => line.trim() !== '');
  }

  /** The unfinished line at the end of the input, if there is one. */
  end(): string[] {
    const rest = this.#rest;
    this.#rest = '';
    return rest.trim() === '' ? [] : [rest];
  }
}

export async function* readLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const splitter = new LineSplitter();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      yield* splitter.push(decoder.decode(chunk.value, { stream: true }));
    }
    yield* splitter.push(decoder.decode());
    yield* splitter.end();
  } finally {
    // Also reached when the consumer leaves early: the server must see the connection close.
    await reader.cancel();
  }
}
