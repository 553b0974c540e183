import type { Socket } from 'node:net';
import type { ChunkScanner } from '../http1/chunked.ts';
import type { ResponseFields, ResponseHead, StatusLine } from '../http1/response-head.ts';
import type { EndFields, ResponseHeadOptions, ResponseSink } from '../pipeline/response-sink.ts';
import { JOINED_BYTES, joinedWrite } from '../upstream/joined-write.ts';
import type { ReadBytes } from '../upstream/read-buffer.ts';
import { isEncrypted } from './is-encrypted.ts';

/** Up to here head and content go out as one. Measured: above it the copy costs more than a write from the read buffer itself. */
const ONE_WRITE_BYTES = JOINED_BYTES;
/** An instance that is read frame by frame cannot be made to wait before its response; beyond this its hints are left out. */
const MOST_INTERIM_BYTES = 262_144;

/** Whose responses are written. */
export interface WriterOwner {
  /** After `settle()` or `end()` was false: the client has taken all. */
  onFlushed(): void;
}

/**
 * Writes the responses of one client connection, one after the other, each framed as the client can read it: as it
 * came; chunked where the instance ends its response by closing; unchunked for an HTTP/1.0 client; chunked anew where the
 * gateway has trailers of its own.
 *
 * A large piece is written from the upstream connection's read buffer itself, where that is its own. While the kernel has not taken
 * it, the connection must not be read on: `settle()` is false until `onFlushed`, and the end of the response waits.
 */
export class ResponseWriter implements ResponseSink {
  started = false;
  ending: boolean | null = null;
  #socket: Socket;
  readonly #owner: WriterOwner;
  /** What is small is put together in the place of all connections. */
  readonly #joins: boolean;
  /** A head that waits for content or the end of the read, in pieces that are worth no text of their own. */
  #head = '';
  #fields = '';
  #tail = '';
  #mode: 'raw' | 'chunk' | 'unchunk' | 'rechunk' = 'raw';
  #atEnd: EndFields | null = null;
  /** What the instance sent as trailers; kept where it is chunked anew. */
  #trailer = '';
  #blocked = false;
  /** Writes of this connection: none, one, or more. */
  #written: 0 | 1 | 2 = 0;
  /** Only of one that had to wait: most never do. */
  #afterWrite: (() => void) | null = null;
  #listensToDrain = false;

  constructor(socket: Socket, owner: WriterOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#joins = !isEncrypted(socket);
  }

  /** The next response begins. */
  reset(): void {
    this.started = false;
    this.ending = null;
    this.#head = '';
    this.#mode = 'raw';
    this.#atEnd = null;
    this.#trailer = '';
    this.#blocked = false;
  }

  /**
   * Comes before each write. The first of a connection finds nothing on its way that it would have to wait for (RFC 9293
   * §3.7.4), so Nagle's algorithm is switched off with the second: one that carries a single answer saves a system call.
   */
  beforeWrite(): void {
    if (this.#written === 2) return;
    if (this.#written === 1) this.#socket.setNoDelay(true);
    this.#written = this.#written === 0 ? 1 : 2;
  }

  interim(line: StatusLine, fields: ResponseFields): void {
    const socket = this.#socket;
    if (socket.writableLength > MOST_INTERIM_BYTES) return;
    this.beforeWrite();
    if (!socket.write(`${line.text}${fields.keptWithoutLength}\r\n`, 'latin1')) this.#block();
  }

  switched(line: StatusLine, fields: ResponseFields): void {
    this.beforeWrite();
    this.#socket.write(
      `HTTP/1.1 101 ${line.reason}\r\n${fields.kept}Connection: Upgrade\r\nUpgrade: ${fields.upgrade}\r\n\r\n`,
      'latin1',
    );
  }

  head(head: ResponseHead, options: ResponseHeadOptions): void {
    const { framing, old, identified } = options;
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
    const text = options.bodyless ? head.line.text + head.fields.keptWithoutLength : head.text;
    const close = options.close ? 'Connection: close\r\n' : '';
    this.#head = text;
    this.#fields = transfer + options.added + close;
    this.#tail = identified === null ? '\r\n' : identified.responseTail;
  }

  get #headBytes(): number {
    return this.#head === '' ? 0 : this.#head.length + this.#fields.length + this.#tail.length;
  }

  #takeHead(): string {
    if (this.#head === '') return '';
    const text = this.#head + this.#fields + this.#tail;
    this.#head = '';
    return text;
  }

  content(bytes: ReadBytes, start: number, end: number, spare = 0): void {
    if (this.#mode === 'chunk') this.#writeChunk(bytes, start, end);
    else this.#write(bytes, start, end, spare);
  }

  /** Returns the position after the chunked body's last byte, as the scanner does. */
  chunked(bytes: ReadBytes, start: number, end: number, chunks: ChunkScanner, spare = 0): number {
    if (this.#mode === 'unchunk') {
      return bytes.scan(chunks, start, end, (from, to) => this.#write(bytes, from, to, 0));
    }
    if (this.#mode === 'rechunk') {
      const stop = bytes.scan(chunks, start, end, (from, to) => this.#writeChunk(bytes, from, to));
      if (chunks.done) this.#trailer = chunks.trailer;
      return stop;
    }
    const stop = bytes.scan(chunks, start, end);
    // What stands before a fault is held back with it: the client must see a response that is cut off.
    if (chunks.phase !== 'fault') this.#write(bytes, start, stop, spare);
    return stop;
  }

  trailer(lines: string): void {
    this.#trailer = lines;
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

  #flushHead(suffix: string): void {
    if (this.#head === '' && suffix === '') return;
    this.started = true;
    this.beforeWrite();
    if (this.#mayJoin(this.#headBytes + suffix.length)) {
      this.#joinHead();
      this.#sendJoined(suffix);
    } else if (!this.#socket.write(this.#takeHead() + suffix, 'latin1')) this.#block();
  }

  /** What waits for the client already would hold the place of all connections. */
  #mayJoin(bytes: number): boolean {
    return this.#joins && bytes <= ONE_WRITE_BYTES && this.#socket.writableLength === 0;
  }

  #joinHead(): void {
    joinedWrite.begin();
    if (this.#head === '') return;
    joinedWrite.text(this.#head);
    joinedWrite.text(this.#fields);
    joinedWrite.text(this.#tail);
    this.#head = '';
  }

  #sendJoined(suffix: string): void {
    joinedWrite.text(suffix);
    if (!joinedWrite.send(this.#socket)) this.#block();
  }

  #writeChunk(bytes: ReadBytes, start: number, end: number): void {
    this.#write(bytes, start, end, 0, `${(end - start).toString(16)}\r\n`, '\r\n');
  }

  #write(bytes: ReadBytes, start: number, end: number, spare: number, prefix = '', suffix = ''): void {
    const socket = this.#socket;
    this.beforeWrite();
    this.started = true;
    if (this.#mayJoin(this.#headBytes + prefix.length + end - start + suffix.length)) {
      this.#joinHead();
      joinedWrite.text(prefix);
      bytes.joinTo(joinedWrite, start, end);
      this.#sendJoined(suffix);
      return;
    }
    const before = this.#takeHead() + prefix;
    if (before.length + end - start + suffix.length <= ONE_WRITE_BYTES) {
      const text = before + bytes.text(start, end) + suffix;
      if (!socket.write(text, 'latin1')) this.#block();
      return;
    }
    if (suffix === '' && before.length <= spare) {
      // The head stands where the instance's stood, so both go out as one piece.
      const drains = !socket.write(bytes.keepBehind(before, start, end));
      // A callback of its own for each piece would cost a turn of the task queue; one behind it is needed by few.
      if (socket.writableLength > 0 && !drains) socket.write('', 'latin1', this.#whenWritten());
    } else {
      const piece = bytes.keep(start, end);
      socket.cork();
      if (before !== '') socket.write(before, 'latin1');
      socket.write(piece, this.#whenWritten());
      if (suffix !== '') socket.write(suffix, 'latin1');
      socket.uncork();
    }
    if (socket.writableLength > 0) this.#block();
  }

  #block(): void {
    if (this.#blocked) return;
    this.#blocked = true;
    if (this.#listensToDrain) return;
    this.#listensToDrain = true;
    this.#socket.on('drain', this.#whenWritten());
  }

  #whenWritten(): () => void {
    this.#afterWrite ??= () => this.#unblock();
    return this.#afterWrite;
  }

  #unblock(): void {
    if (!this.#blocked || this.#socket.writableLength > 0) return;
    this.#blocked = false;
    this.#owner.onFlushed();
  }
}
