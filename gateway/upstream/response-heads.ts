import type { HeadMemory } from '../http1/head-memory.ts';
import { HeadReader } from '../http1/head-reader.ts';
import type { HeadText } from '../http1/head-text.ts';
import { RESPONSE_LIMITS } from '../http1/limits.ts';
import {
  parseResponseFields,
  parseStatusLine,
  type ResponseFields,
  type ResponseHead,
  responseHead,
  type StatusLine,
} from '../http1/response-head.ts';
import type { Words } from '../http1/words.ts';

/**
 * Reads response heads, one after the other: those of one connection, or those of all to an instance as far as each comes in one
 * piece. Instances repeat theirs within a second.
 */
export class ResponseHeads {
  fault = '';
  #lastLine = '';
  #line: StatusLine | null = null;
  #lastBlock = '';
  #fields: ResponseFields | null = null;
  #reader: HeadReader<ResponseHead>;
  readonly #memory: HeadMemory<ResponseHead>;

  /** `memory`: of all connections to the instance. */
  constructor(memory: HeadMemory<ResponseHead>) {
    this.#memory = memory;
    this.#reader = this.#createReader();
  }

  #createReader(): HeadReader<ResponseHead> {
    return new HeadReader({
      limits: RESPONSE_LIMITS,
      memory: this.#memory,
      skipEmptyLine: false,
      firstLineFault,
      read: (head, start, end) => this.#parse(head, start, end),
    });
  }

  /** The one that was read last; null before the first. */
  get head(): ResponseHead | null {
    return this.#reader.meaning;
  }

  /** The position after the head that was read. */
  get end(): number {
    return this.#reader.bodyStart;
  }

  read(buffer: Buffer, position: number, length: number, words: Words | null): 'head' | 'more' | 'fault' {
    const reader = this.#reader;
    const step = reader.push(buffer, position, length, words);
    if (step === 'more') return 'more';
    if (step === 'complete') return 'head';
    this.fault = reader.fault;
    return 'fault';
  }

  /** Where a head has begun: who reads the rest of it, while this one is free for others. */
  detach(): ResponseHeads {
    const rest = new ResponseHeads(this.#memory);
    rest.#reader = this.#reader;
    this.#reader = this.#createReader();
    return rest;
  }

  /** Returns what is wrong as text. */
  #parse(head: HeadText, start: number, end: number): ResponseHead | string {
    const { text } = head;
    const lineEnd = text.indexOf('\r\n', start) + 2;
    const lineText = text.slice(start, lineEnd);
    if (this.#line === null || lineText !== this.#lastLine) {
      const line = parseStatusLine(head, start);
      if (typeof line === 'string') return line;
      this.#line = line;
      this.#lastLine = lineText;
    }
    const block = text.slice(lineEnd, end);
    if (this.#fields === null || block !== this.#lastBlock) {
      const fields = parseResponseFields(head, lineEnd);
      if (typeof fields === 'string') return fields;
      this.#lastBlock = block;
      this.#fields = fields;
    }
    return responseHead(this.#line, this.#fields);
  }
}

function firstLineFault(head: HeadText, start: number): string | null {
  const line = parseStatusLine(head, start);
  return typeof line === 'string' ? line : null;
}
