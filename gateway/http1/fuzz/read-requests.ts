import { Place } from '../../downstream/reader-pool.ts';
import { RandomHex } from '../../pipeline/ids.ts';
import { identify } from '../../pipeline/request-head.ts';
import type { RequestReader, RequestsBefore } from '../request-reader.ts';

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

const IDS = /traceparent: .*\r\nX-Request-Id: .*\r\n/;

/** A connection of a client, as far as it reads requests. */
export interface FuzzedConnection {
  /** What it shares with the client's others: readers among them. */
  readonly place: Place;
  readonly before: RequestsBefore;
  readonly random: RandomHex;
  /** What others read while nothing of a request is here; null: nothing. */
  readonly between: (() => void) | null;
}

export function newPlace(): Place {
  return new Place({ address: '127.0.0.1', protocol: 'http', version: '1.1' }, { free: 0 });
}

export function newConnection(place = newPlace(), between: FuzzedConnection['between'] = null): FuzzedConnection {
  return { place, before: { known: null, last: null }, random: new RandomHex(), between };
}

/** Reads what came in these pieces as a client's connection does, every request answered at once, and closes it. */
export function readRequests(pieces: readonly Buffer[], connection: FuzzedConnection = newConnection()): Reading {
  const { place, before: requestsBefore, random, between } = connection;
  const requests: ReadRequest[] = [];
  let start = 0;
  let head = 0;
  let before = 0;
  let forwarded = '';
  let inBody = false;
  let held: RequestReader | null = null;

  /** Returns what ended the connection; null: nothing has. */
  function readOn(piece: Buffer, reader: RequestReader): 'fault' | 'nothing' | null {
    let offset = 0;
    while (offset < piece.length) {
      if (!inBody) {
        const step = reader.readHead(piece, offset);
        if (step === 'fault') return 'fault';
        if (step === 'more') return null;
        const { request } = reader;
        if (request === null) throw new Error('a head without a line or without fields');
        offset = reader.bodyStart;
        head = before + offset - start;
        const text = request.upstreamBegin(false) + identify(request.line, request.fields, random).tail;
        forwarded = text.replace(IDS, '');
        inBody = true;
      }
      const end = reader.readBody(piece, offset);
      if (end === -1) return 'fault';
      offset = end;
      if (!reader.bodyDone) return null;
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
      if (fields?.close === true || line?.minor === 0) return 'nothing';
    }
    return null;
  }

  for (const piece of pieces) {
    const reader: RequestReader = held ?? place.take(requestsBefore);
    const ended = readOn(piece, reader);
    before += piece.length;
    held = ended === null && (inBody || reader.pending) ? reader : null;
    if (held === null) {
      reader.leave(requestsBefore);
      place.put(reader);
    }
    if (ended !== null) return { requests, rest: ended };
    if (held === null) between?.();
  }
  if (held !== null) place.put(held);
  return { requests, rest: start === before ? 'nothing' : 'incomplete' };
}
