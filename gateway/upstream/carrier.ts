import type { ServicePolicy } from '@skyrun/contracts';
import type { Framing } from '../http1/message.ts';
import type { ResponseReceiver } from './response-receiver.ts';

/** What decides how a request may travel to its instance. */
export interface RequestKind {
  readonly line: { readonly method: string };
  readonly fields: {
    readonly framing: Framing;
    readonly contentLength: number;
    readonly upgrade: string;
    readonly expect: string;
  };
}

/**
 * Takes one request to an instance and brings its response back. The request is given as the bytes of HTTP/1.1, whatever
 * the instance speaks; the receiver hears of the response in the same words.
 */
export interface Carrier {
  /** Whether what is written goes out at once; until then nothing may be written. */
  readonly connected: boolean;
  /** Whether its connection has answered a request before this one: its loss may only be its age. */
  readonly reused: boolean;
  /** Gives it to a request, which is told when it is connected unless it is already. */
  take(receiver: ResponseReceiver): void;
  /** The head, in as many pieces as it is kept in, and the body where it is small. False: it takes no more for now. */
  writeText(begin: string, tail: string, body: string): boolean;
  /** More of the body, or of a tunnel. False: it takes no more for now. */
  write(chunk: Buffer): boolean;
  /** The client's side of a tunnel is over. */
  end(): void;
  /** The response is read on. */
  resume(): void;
  /** The exchange is whole, and its connection may be used again. `now` is monotonic ms. */
  release(now: number): void;
  /** The connection did not come about in time: its request is told that it is lost. */
  giveUp(): void;
  /** The request is of no interest any more; the instance is told, as far as its protocol can. */
  destroy(): void;
}

/** The ways to one instance. */
export interface Upstreams {
  /** Connections without a request. */
  readonly idle: number;
  /** Whether nothing is open that must be swept, but for what requests have. */
  readonly empty: boolean;
  /** `now` is monotonic ms. */
  open(request: RequestKind, now: number): Carrier;
  /** What the service asks of its connections; undefined: nothing. */
  follow(policy: ServicePolicy | undefined): void;
  /** Closes what was idle for too long. */
  sweep(now: number): void;
  /** The instance takes requests again. */
  reopen(): void;
  /** Idle connections end now, others after what they carry. */
  close(): void;
}
