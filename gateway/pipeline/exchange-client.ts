import type { ProblemCode } from '@skyrun/contracts';
import type { RequestHead } from './request-head.ts';
import type { ResponseSink } from './response-sink.ts';

/** What a client's side may know of the exchange that it carries. */
export interface CarriedExchange {
  readonly head: RequestHead;
  readonly method: string;
  /** What the service's policy adds to the response, each with CR LF. */
  readonly responseFields: string;
  /** The client's whole request was read and is well-formed. */
  requestDone: boolean;
  /** The client connection ends after this response. */
  closeAfter: boolean;
}

/** The client's side of an exchange. */
export interface ExchangeClient {
  readonly writer: ResponseSink;
  readonly tunnelling: boolean;
  /** The other side takes more of the request again. */
  resumeBody(): void;
  openTunnel(): void;
  /** Writes a problem as the response; returns its status. */
  answerProblem(
    exchange: CarriedExchange,
    code: ProblemCode,
    options: { detail?: string; retryAfterSeconds?: number },
  ): number;
  /** The response is written, or nobody is there to read it. */
  exchangeEnded(exchange: CarriedExchange): void;
  /** The instance ended its side of a tunnel; the client may go on. */
  endTunnelOutput(): void;
  /** Ends our side after what was written. */
  endOutput(): void;
  /** The response began and will not become whole. */
  cutOff(): void;
}
