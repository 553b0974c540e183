import type { Socket } from 'node:net';
import { answerHead, type OwnAnswer } from '../pipeline/answer.ts';

export interface AnswerOptions {
  /** The Date field, with its CR LF. */
  readonly date: string;
  /** '' where the request could not be read. */
  readonly requestId: string;
  /** The connection ends after it. */
  readonly close: boolean;
  /** Of the request: the answer to a HEAD has no body. */
  readonly method: string;
}

/** Writes an answer of the gateway's own as an HTTP/1.1 response. */
export function writeAnswer(socket: Socket, answer: OwnAnswer, options: AnswerOptions): void {
  socket.cork();
  socket.write(answerHead(answer, options), 'latin1');
  if (options.method !== 'HEAD' && answer.body.length > 0) socket.write(answer.body);
  socket.uncork();
}
