import type { Socket } from 'node:net';
import type { ChunkScanner } from '../http1/chunked.ts';
import type { ResponseFields, StatusLine } from '../http1/response-head.ts';
import type { EndFields, ResponseHeadOptions, ResponseSink } from './response-sink.ts';

/**
 * Up to here head and content go out as one latin-1 string, which nothing outlives. Measured: above it two copies and
 * the garbage cost more than a gathered write from the read buffer itself.
 */
const ONE_WRITE_BYTES = 4096;

/**
 * Writes the responses of one client connection, one after the other, each framed as the client can read it: as it
 * came; chunked where the instance ends its response by closing; unchunked for an HTTP/1.0 client; chunked anew where the
 * gateway has trailers of its own.
 *
 * A large piece is written from the upstream connection's read buffer itself. While the kernel has not taken it, the
 * buffer must not be read into again: `settle()` is false until `onFlushed`, and the end of the response waits.
 */
export class ResponseWriter implements ResponseSink {
  started = false;
  ending: boolean | null = null;
  #socket: Socket;
  #onFlushed: () => void;
  #pendingHead = '';
  #mode: 'raw' | 'chunk' | 'unchunk' | 'rechunk' = 'raw';
  #atEnd: EndFields | null = null;
  /** What the instance sent as trailers; kept where it is chunked anew. */
  #trailer = '';
  #blocked = false;
  readonly #afterWrite = () => this.#unblock();

  /** `onFlushed`: after `settle()` or `end()` was false, the client has taken all. */
  constructor(socket: Socket, onFlushed: () => void) {
    this.#socket = socket;
    this.#onFlushed = onFlushed;
  }

  /** The next response begins. */
  reset(): void {
    this.started = false;
    this.ending = null;
    this.#pendingHead = '';
    this.#mode = 'raw';
    this.#atEnd = null;
    this.#trailer = '';
    this.#blocked = false;
  }

  interim(line: StatusLine, fields: ResponseFields): void {
    this.#socket.write(`HTTP/1.1 ${line.status} ${line.reason}\r\n${fields.kept}\r\n`, 'latin1');
  }

  switched(line: StatusLine, fields: ResponseFields): void {
    this.#socket.write(
      `HTTP/1.1 101 ${line.reason}\r\n${fields.kept}Connection: Upgrade\r\nUpgrade: ${fields.upgrade}\r\n\r\n`,
      'latin1',
    );
  }

  head(line: StatusLine, fields: ResponseFields, options: ResponseHeadOptions): void {
    const { framing, old, bodyless } = options;
    let transfer = '';
    if (framing === 'chunked' && old) this.#mode = 'unchunk';
    else if (framing === 'close' && !old) this.#mode = 'chunk';
    if (this.#mode !== 'unchunk' && (framing === 'chunked' || framing === 'close') && !old) {
      transfer = 'Transfer-Encoding: chunked\r\n';
      if (options.atEnd !== null) {
        this.#atEnd = options.atEnd;
        transfer += `Trailer: ${options.atEnd.names}\r\n`;
        if (framing === 'chunked') this.#mode = 'rechunk';
      }
    }
    const kept = bodyless ? fields.keptWithoutLength : fields.kept;
    const id = options.requestId === '' ? '' : `X-Request-Id: ${options.requestId}\r\n`;
    const close = options.close ? 'Connection: close\r\n' : '';
    this.#pendingHead = `${line.text}${kept}${transfer}${id}${options.added}${close}\r\n`;
  }

  content(buffer: Buffer, start: number, end: number): void {
    if (this.#mode === 'chunk') this.#writeChunk(buffer, start, end);
    else this.#write(buffer, start, end, '', '');
  }

  /** Returns the position after the chunked body's last byte, as the scanner does. */
  chunked(buffer: Buffer, start: number, end: number, chunks: ChunkScanner): number {
    if (this.#mode === 'unchunk') {
      return chunks.scan(buffer, start, end, (from, to) => this.#write(buffer, from, to, '', ''));
    }
    if (this.#mode === 'rechunk') {
      const stop = chunks.scan(buffer, start, end, (from, to) => this.#writeChunk(buffer, from, to));
      if (chunks.done) this.#trailer = chunks.trailer;
      return stop;
    }
    const stop = chunks.scan(buffer, start, end);
    // What stands before a fault is held back with it: the client must see a response that is cut off.
    if (chunks.phase !== 'fault') this.#write(buffer, start, stop, '', '');
    return stop;
  }

  /** Hands over what is pending after one read. False: pause the reading. */
  settle(): boolean {
    this.#flushHead('');
    return !this.#blocked;
  }

  /** The response is whole. False: not flushed yet, `onFlushed` follows. */
  end(reusable: boolean): boolean {
    const rest = this.#mode === 'chunk' || this.#mode === 'rechunk';
    this.#flushHead(rest ? `0\r\n${this.#trailer}${this.#atEnd?.fields() ?? ''}\r\n` : '');
    if (!this.#blocked) return true;
    this.ending = reusable;
    return false;
  }

  onDrain(): void {
    this.#unblock();
  }

  #flushHead(suffix: string): void {
    const text = this.#pendingHead + suffix;
    if (text === '') return;
    this.#pendingHead = '';
    this.started = true;
    if (!this.#socket.write(text, 'latin1')) this.#blocked = true;
  }

  #writeChunk(buffer: Buffer, start: number, end: number): void {
    this.#write(buffer, start, end, `${(end - start).toString(16)}\r\n`, '\r\n');
  }

  #write(buffer: Buffer, start: number, end: number, prefix: string, suffix: string): void {
    const socket = this.#socket;
    const before = this.#pendingHead + prefix;
    this.#pendingHead = '';
    this.started = true;
    if (before.length + end - start + suffix.length <= ONE_WRITE_BYTES) {
      const text = before + buffer.toString('latin1', start, end) + suffix;
      if (!socket.write(text, 'latin1')) this.#blocked = true;
      return;
    }
    const piece = buffer.subarray(start, end);
    if (before === '' && suffix === '') socket.write(piece, this.#afterWrite);
    else {
      socket.cork();
      if (before !== '') socket.write(before, 'latin1');
      socket.write(piece, this.#afterWrite);
      if (suffix !== '') socket.write(suffix, 'latin1');
      socket.uncork();
    }
    if (socket.writableLength > 0) this.#blocked = true;
  }

  #unblock(): void {
    if (!this.#blocked || this.#socket.writableLength > 0) return;
    this.#blocked = false;
    this.#onFlushed();
  }
}
