import { RandomHex } from '../../pipeline/ids.ts';
import { ForwardingFields, identify } from '../../pipeline/request-head.ts';
import type { RequestOrigin } from '../../pipeline/request-origin.ts';
import { HeadMemory } from '../head-memory.ts';
import type { KnownRequest } from '../known-request.ts';
import { RequestReader } from '../request-reader.ts';

/** One request as the gateway understood it. */
export interface ReadRequest {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  /** Bytes of it on the connection: head, and body with what frames it. */
  readonly head: number;
  readonly body: number;
  /** The head as it goes to an instance, but for its ids. */
  readonly forwarded: string;
  /** Where the request ends, counted from the connection's first byte. */
  readonly end: number;
}

export interface Reading {
  readonly requests: readonly ReadRequest[];
  /** What follows the last whole request: nothing more is read after a fault. */
  readonly rest: 'fault' | 'incomplete' | 'nothing';
}

const ORIGIN: RequestOrigin = { address: '127.0.0.1', protocol: 'http', version: '1.1' };
const FORWARDING = new ForwardingFields(ORIGIN);
const IDS = /traceparent: .*\r\nX-Request-Id: .*\r\n/;

/** What a connection of the gateway remembers between two requests, and the pool from one connection to the next. */
export interface FuzzedReader {
  readonly reader: RequestReader;
  readonly random: RandomHex;
}

/** `memory`: of all connections of the client. */
export function newReader(memory = new HeadMemory<KnownRequest>()): FuzzedReader {
  return {
    reader: new RequestReader((fields) => FORWARDING.of(fields), memory),
    random: new RandomHex(),
  };
}

/** Reads what came in these pieces as a client's connection does, every request answered at once. */
export function readRequests(pieces: readonly Buffer[], { reader, random }: FuzzedReader = newReader()): Reading {
  const requests: ReadRequest[] = [];
  let start = 0;
  let head = 0;
  let before = 0;
  let forwarded = '';
  let inBody = false;
  for (const piece of pieces) {
    let offset = 0;
    while (offset < piece.length) {
      if (!inBody) {
        const step = reader.readHead(piece, offset);
        if (step === 'fault') return { requests, rest: 'fault' };
        if (step === 'more') break;
        const { request } = reader;
        if (request === null) throw new Error('a head without a line or without fields');
        offset = reader.bodyStart;
        head = before + offset - start;
        const text = request.upstreamBegin(false) + identify(request.line, request.fields, random).tail;
        forwarded = text.replace(IDS, '');
        inBody = true;
      }
      const end = reader.readBody(piece, offset);
      if (end === -1) return { requests, rest: 'fault' };
      offset = end;
      if (!reader.bodyDone) break;
      inBody = false;
      const { line, fields } = reader.request ?? {};
      requests.push({
        method: line?.method ?? '',
        target: line?.target ?? '',
        authority: fields?.authority ?? '',
        head,
        body: before + end - start - head,
        forwarded,
        end: before + end,
      });
      start = before + end;
      // As a connection does that was asked to be closed: what follows is thrown away.
      if (fields?.close === true || line?.minor === 0) return { requests, rest: 'nothing' };
    }
    before += piece.length;
  }
  return { requests, rest: start === before ? 'nothing' : 'incomplete' };
}
