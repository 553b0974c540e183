import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { ChunkScanner } from '../http1/chunked.ts';
import type { ResponseFields, StatusLine } from '../http1/response-head.ts';
import type { EndFields, ResponseHeadOptions, ResponseSink } from '../pipeline/response-sink.ts';
import { responseHeaders } from './http2-headers.ts';

const { HTTP2_HEADER_STATUS } = constants;

/**
 * Writes a response into one stream of an HTTP/2 session. The instance's read buffer is reused after each call, so
 * content is copied; the response is therefore never unflushed as far as the instance's connection goes.
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
    if (!this.#stream.headersSent && !this.#stream.destroyed) {
      this.#stream.additionalHeaders(responseHeaders(fields.kept, { [HTTP2_HEADER_STATUS]: line.status }));
    }
  }

  /** HTTP/2 has no Upgrade, so no request asked for one and no exchange gets here. */
  switched(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  head(line: StatusLine, fields: ResponseFields, options: ResponseHeadOptions): void {
    this.started = true;
    const headers: OutgoingHttpHeaders = { [HTTP2_HEADER_STATUS]: line.status };
    responseHeaders(`${options.bodyless ? fields.keptWithoutLength : fields.kept}${options.added}`, headers);
    if (options.requestId !== '') headers['x-request-id'] = options.requestId;
    if (options.atEnd !== null && options.framing !== 'none') {
      this.#atEnd = options.atEnd;
      responseHeaders(`Trailer: ${options.atEnd.names}\r\n`, headers);
    }
    if (!this.#stream.destroyed) this.#stream.respond(headers, { waitForTrailers: true });
    this.#stream.once('wantTrailers', () => this.#sendTrailers());
  }

  content(buffer: Buffer, start: number, end: number): void {
    if (start === end || this.#stream.destroyed) return;
    if (!this.#stream.write(Buffer.from(buffer.subarray(start, end)))) this.#blocked = true;
  }

  chunked(buffer: Buffer, start: number, end: number, chunks: ChunkScanner): number {
    const stop = chunks.scan(buffer, start, end, (from, to) => this.content(buffer, from, to));
    if (chunks.done) this.#trailer = chunks.trailer;
    return stop;
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
    if (this.#stream.destroyed) return;
    this.#stream.sendTrailers(responseHeaders(this.#trailer));
  }
}
