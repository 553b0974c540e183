import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ChunkScanner } from '../http1/chunked.ts';
import type { ResponseFields, ResponseHead, StatusLine } from '../http1/response-head.ts';
import { headerObject, headerPairs } from '../http2/header-text.ts';
import type { EndFields, ResponseHeadOptions, ResponseSink } from '../pipeline/response-sink.ts';
import type { ReadBytes } from '../upstream/read-buffer.ts';

const { HTTP2_HEADER_STATUS } = constants;
/** Frames that may wait for the client to take them; of those that may be left out none is added. */
const MOST_QUEUED = 100;

/**
 * Writes a response into one stream of an HTTP/2 session. Frames wait for their turn, so content is copied; the response is
 * therefore never unflushed as far as the instance's connection goes.
 */
export class StreamSink implements ResponseSink {
  started = false;
  readonly ending = null;
  #stream: ServerHttp2Stream;
  #blocked = false;
  #trailer = '';
  #atEnd: EndFields | null = null;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  interim(line: StatusLine, fields: ResponseFields): void {
    const { session, headersSent, destroyed } = this.#stream;
    if (headersSent || destroyed || (session?.state.outboundQueueSize ?? 0) > MOST_QUEUED) return;
    this.#stream.additionalHeaders(headerObject(fields.keptWithoutLength, { [HTTP2_HEADER_STATUS]: line.status }));
  }

  /** HTTP/2 has no Upgrade, so no request asked for one and no exchange gets here. */
  switched(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  head({ line, fields }: ResponseHead, options: ResponseHeadOptions): void {
    this.started = true;
    const headers = [HTTP2_HEADER_STATUS, String(line.status)];
    headerPairs(`${options.bodyless ? fields.keptWithoutLength : fields.kept}${options.added}`, headers);
    if (options.identified !== null) headers.push('x-request-id', options.identified.requestId);
    if (options.atEnd !== null && options.framing !== 'none') {
      this.#atEnd = options.atEnd;
      headers.push('trailer', options.atEnd.names);
    }
    if (this.#stream.destroyed) return;
    // A gRPC answer without messages is known by its single frame.
    const empty = options.framing === 'none' || (options.framing === 'length' && fields.contentLength === 0);
    const endStream = empty && this.#atEnd === null;
    this.#stream.respond(headers, { endStream, waitForTrailers: !endStream });
    this.#stream.once('wantTrailers', () => this.#sendTrailers());
  }

  content(bytes: ReadBytes, start: number, end: number): void {
    if (start === end || this.#stream.destroyed) return;
    if (!this.#stream.write(bytes.copy(start, end))) this.#blocked = true;
  }

  chunked(bytes: ReadBytes, start: number, end: number, chunks: ChunkScanner): number {
    const stop = bytes.scan(chunks, start, end, (from, to) => this.content(bytes, from, to));
    if (chunks.done) this.#trailer = chunks.trailer;
    return stop;
  }

  trailer(lines: string): void {
    this.#trailer = lines;
  }

  settle(): boolean {
    return !this.#blocked;
  }

  end(): boolean {
    this.#trailer += this.#atEnd?.fields() ?? '';
    if (!this.#stream.destroyed) this.#stream.end();
    return true;
  }

  onDrain(): void {
    this.#blocked = false;
  }

  #sendTrailers(): void {
    // Of a stream that is cut off, which Node ends first, it does not ask for them.
    this.#stream.sendTrailers(headerObject(this.#trailer));
  }
}
