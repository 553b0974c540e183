import type { ChunkScanner } from '../http1/chunked.ts';
import type { Framing } from '../http1/message.ts';
import type { ResponseFields, ResponseHead, StatusLine } from '../http1/response-head.ts';
import type { ReadBytes } from '../upstream/read-buffer.ts';
import type { RequestHead } from './request-head.ts';

/** Where an exchange puts its response: an HTTP/1.1 connection, or one stream of an HTTP/2 session. */
export interface ResponseSink {
  /** Whether any byte of the final response was handed over: from then on it cannot become another one. */
  readonly started: boolean;
  /** The response is whole but not flushed; the value is whether its upstream connection is reusable. */
  readonly ending: boolean | null;
  /** Left out where too much waits for the client already: an instance may send as many as it likes. */
  interim(line: StatusLine, fields: ResponseFields): void;
  /** A change of protocol that was asked for: what follows is bytes of a tunnel. */
  switched(line: StatusLine, fields: ResponseFields): void;
  head(head: ResponseHead, options: ResponseHeadOptions): void;
  /** `spare`: so many bytes before `start` are needed by nobody and may be written over; 0 where not given. */
  content(bytes: ReadBytes, start: number, end: number, spare?: number): void;
  /** Returns the position after the chunked body's last byte, as the scanner does. */
  chunked(bytes: ReadBytes, start: number, end: number, chunks: ChunkScanner, spare?: number): number;
  /** Fields after the body, each with CR LF; before the end, where the body is not chunked as it comes. */
  trailer(lines: string): void;
  /** Hands over what is pending after one read. False: pause the reading until the client has taken it. */
  settle(): boolean;
  /** The response is whole. False: not flushed yet. */
  end(reusable: boolean): boolean;
}

/** Trailer fields of the gateway's own. */
export interface EndFields {
  /** As the head announces them in `Trailer`. */
  readonly names: string;
  /** Asked once, when the response is whole; each field with its CR LF. */
  fields(): string;
}

export interface ResponseHeadOptions {
  readonly framing: Framing;
  /** The client speaks HTTP/1.0. */
  readonly old: boolean;
  /** No body may follow and none is announced, as for a 204. */
  readonly bodyless: boolean;
  /** Whose id is sent back as X-Request-Id; null where the instance has sent its own. */
  readonly identified: Pick<RequestHead, 'requestId' | 'responseTail'> | null;
  /** Whole fields of the gateway's own, each with its CR LF; mostly ''. */
  readonly added: string;
  /** What is only known when the response is whole; null mostly. Goes where the client's framing has trailers. */
  readonly atEnd: EndFields | null;
  /** The client's connection ends after this response. */
  readonly close: boolean;
}
