import type { ChunkScanner } from '../http1/chunked.ts';
import type { ResponseFields, ResponseHead, StatusLine } from '../http1/response-head.ts';
import type { ReadBytes } from './read-buffer.ts';

/** What a response is delivered to. */
export interface ResponseReceiver {
  /** A HEAD request's response has no body, whatever its fields say. */
  readonly method: string;
  onConnected(): void;
  onInterim(line: StatusLine, fields: ResponseFields): void;
  /** A 101. True when it is the change that the request asked for; the connection is a tunnel from then on. */
  onSwitch(line: StatusLine, fields: ResponseFields): boolean;
  onResponse(head: ResponseHead, framing: ResponseFields['framing']): void;
  /** `spare`: so many bytes before `start` are needed by nobody and may be written over; 0 where not given. */
  onContent(bytes: ReadBytes, start: number, end: number, spare?: number): void;
  /** Raw bytes of a chunked body; They must be scanned to follow it. Returns the position after the body's last byte. */
  onChunked(bytes: ReadBytes, start: number, end: number, chunks: ChunkScanner, spare?: number): number;
  /** The fields after a body that came without framing of its own, each with CR LF; before the end. */
  onTrailer(lines: string): void;
  onTunnelData(bytes: ReadBytes, start: number, end: number): void;
  onTunnelEnd(): void;
  /** The response is whole. `reusable`: the connection may carry another request. */
  onResponseEnd(reusable: boolean): void;
  /** All of one read was delivered. False pauses the reading until `resume()`. */
  onReadEnd(): boolean;
  /** The connection can take more of the request. */
  onUpstreamDrain(): void;
  /** The response will not become whole: never connected, closed too early, or not HTTP. */
  onLost(loss: Loss): void;
}

export interface Loss {
  readonly cause: 'connect' | 'closed' | 'malformed';
  readonly detail: string;
  /** Whether any byte of a response had come. */
  readonly answered: boolean;
  /** The instance has said that it did nothing with the request: any may be sent again. */
  readonly unprocessed?: boolean;
}
