import type { Carrier, RequestKind } from './carrier.ts';
import type { Loss, ResponseReceiver } from './response-receiver.ts';

/** The connection that requests share, as one of them needs it. */
export interface SharedConnection {
  readonly connected: boolean;
  /** It has brought a whole response. */
  readonly answered: boolean;
  /** Sends the request's text with those of others. */
  send(request: PipelinedRequest): void;
  /** The client has taken what was delivered. */
  resume(request: PipelinedRequest): void;
  /** Nobody wants the response, or all of it was taken. */
  leave(request: PipelinedRequest): void;
  destroy(): void;
}

/**
 * One request of a connection that it shares with others.
 *
 *   boarded ──text──► batched ──written──► sent ──first byte of its response──► answering ──last──► whole ──taken──► gone
 *
 * One that is left after it was sent is still answered, to nobody.
 */
export class PipelinedRequest implements Carrier {
  phase: 'boarded' | 'batched' | 'sent' | 'answering' | 'whole' | 'gone' = 'boarded';
  text = '';
  /** Its response is whole, and its client still takes it out of the connection's buffer. */
  holdsBuffer = false;
  receiver: ResponseReceiver | null = null;
  readonly kind: RequestKind;
  readonly #connection: SharedConnection;

  constructor(kind: RequestKind, connection: SharedConnection) {
    this.kind = kind;
    this.#connection = connection;
  }

  get method(): string {
    return this.kind.line.method;
  }

  get connected(): boolean {
    return this.#connection.connected;
  }

  get reused(): boolean {
    return this.#connection.answered;
  }

  take(receiver: ResponseReceiver): void {
    this.receiver = receiver;
  }

  writeText(begin: string, tail: string, body: string): boolean {
    this.text = begin + tail + body;
    this.#connection.send(this);
    return true;
  }

  /** It has no body and becomes no tunnel. */
  write(): boolean {
    return true;
  }

  end(): void {
    // Nothing follows its head.
  }

  resume(): void {
    this.#connection.resume(this);
  }

  release(): void {
    this.#connection.leave(this);
  }

  giveUp(): void {
    this.#connection.destroy();
  }

  destroy(): void {
    this.receiver = null;
    this.#connection.leave(this);
  }

  lose(loss: Loss): void {
    const { receiver } = this;
    this.phase = 'gone';
    this.receiver = null;
    receiver?.onLost(loss);
  }
}

/** Whether it may share a connection: it asks for nothing but a response, and is safe by its method (RFC 9110 §9.2.1). */
export function mayShare({ line, fields }: RequestKind): boolean {
  return (
    (line.method === 'GET' || line.method === 'HEAD') &&
    fields.framing === 'none' &&
    fields.upgrade === '' &&
    fields.expect === 'nothing'
  );
}

/** Takes the response of a request that was left. */
export const NOBODY: ResponseReceiver = {
  method: '',
  onConnected: () => undefined,
  onInterim: () => undefined,
  onSwitch: () => false,
  onResponse: () => undefined,
  onContent: () => undefined,
  onChunked: (buffer, start, end, chunks) => buffer.scan(chunks, start, end),
  onTrailer: () => undefined,
  onTunnelData: () => undefined,
  onTunnelEnd: () => undefined,
  onResponseEnd: () => undefined,
  onReadEnd: () => true,
  onUpstreamDrain: () => undefined,
  onLost: () => undefined,
};
