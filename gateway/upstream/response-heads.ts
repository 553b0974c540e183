import { HeadReader } from '../http1/head-reader.ts';
import { RESPONSE_LIMITS } from '../http1/limits.ts';
import { parseResponseFields, parseStatusLine, type ResponseFields, type StatusLine } from '../http1/response-head.ts';

/** Reads the response heads of one connection, one after the other. */
export class ResponseHeads {
  line: StatusLine | null = null;
  fields: ResponseFields | null = null;
  fault = '';
  #lastLine = '';
  #lastBlock = '';
  readonly #reader = new HeadReader({
    limits: RESPONSE_LIMITS,
    skipEmptyLine: false,
    firstLineFault: (text, start) => {
      const line = parseStatusLine(text, start);
      return typeof line === 'string' ? line : null;
    },
  });

  /** The position after the head that `line` and `fields` are of. */
  get end(): number {
    return this.#reader.bodyStart;
  }

  read(buffer: Buffer, position: number, length: number): 'head' | 'more' | 'fault' {
    const step = this.#reader.push(buffer, position, length);
    if (step === 'more') return 'more';
    if (step === 'fault') return this.#refuse(this.#reader.fault);
    // An equal text was read before: instances repeat their heads within a second.
    if (this.#reader.repeated && this.fields !== null) return 'head';
    const { text, start, end } = this.#reader;
    const lineEnd = text.indexOf('\r\n', start) + 2;
    const lineText = text.slice(start, lineEnd);
    if (this.line === null || lineText !== this.#lastLine) {
      const line = parseStatusLine(text, start);
      if (typeof line === 'string') return this.#refuse(line);
      this.line = line;
      this.#lastLine = lineText;
    }
    const block = text.slice(lineEnd, end);
    if (block === this.#lastBlock && this.fields !== null) return 'head';
    const fields = parseResponseFields(text, lineEnd);
    if (typeof fields === 'string') return this.#refuse(fields);
    this.#lastBlock = block;
    this.fields = fields;
    return 'head';
  }

  #refuse(fault: string): 'fault' {
    this.fault = fault;
    return 'fault';
  }
}
