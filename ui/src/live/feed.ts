import {
  type AnyEvent,
  type EventEnvelope,
  eventEnvelope,
  feedAnswer,
  InvalidEventError,
  LIVE_FEED,
  parseEvent,
} from '@skyrun/contracts';
import { io, type Socket } from 'socket.io-client';

export type FeedState = 'connecting' | 'live' | 'reconnecting' | 'refused';

export interface LiveFeedOptions {
  readonly project: string;
  /** A token that is good for a while; renewed when it is about to end. */
  readonly token: () => Promise<string>;
  /** Every event, also one that this page's catalogue does not know. */
  readonly onEnvelope: (event: EventEnvelope) => void;
  readonly onEvent: (event: AnyEvent) => void;
  readonly onState: (state: FeedState) => void;
  /** Called when the feed is live again after a gap: what is not kept in the history was missed. */
  readonly onResumed: () => void;
}

/** Shorter than the time before its end at which a token is renewed, so that no connection outlives its token. */
const TOKEN_CHECK_MS = 15_000;
const ANSWER_MS = 10_000;
const REFUSED_AGAIN_MS = 2000;

/** Follows a project's events until `close` is called; reconnects by itself and goes on where it was. */
export function openLiveFeed(options: LiveFeedOptions): { close(): void } {
  const { project, token, onEnvelope, onEvent, onState, onResumed } = options;
  let wasLive = false;
  let closed = false;
  let cursor: string | undefined;
  let known = '';
  const socket: Socket = io({
    path: LIVE_FEED.path,
    auth: (send) => {
      token().then(
        (value) => {
          known = value;
          send({ token: value });
        },
        // The server refuses a handshake without a token, which is reported as a connect_error.
        () => send({}),
      );
    },
    reconnectionDelay: 500,
    reconnectionDelayMax: 5000,
    transports: ['websocket', 'polling'],
  });

  onState('connecting');
  socket.on('connect', () => {
    const subscription = { project, ...(cursor === undefined ? {} : { after: cursor }) };
    socket.timeout(ANSWER_MS).emit(LIVE_FEED.subscribe, subscription, (error: unknown, given: unknown) => {
      if (closed) return;
      const answer = feedAnswer.safeParse(given);
      if (error || !answer.success) {
        // No acknowledgement: start over rather than sit in a room that may not exist.
        socket.disconnect().connect();
        return;
      }
      if (!answer.data.ok) {
        onState('refused');
        return;
      }
      cursor = answer.data.cursor;
      onState('live');
      if (wasLive) onResumed();
      wasLive = true;
    });
  });
  socket.on('connect_error', () => {
    onState(wasLive ? 'reconnecting' : 'connecting');
    // A refusal by the server is final for socket.io itself; a fresh token may mend it.
    if (!socket.active) window.setTimeout(() => closed || socket.connect(), REFUSED_AGAIN_MS);
  });
  socket.on('disconnect', (reason) => {
    if (closed) return;
    onState('reconnecting');
    if (reason === 'io server disconnect') window.setTimeout(() => closed || socket.connect(), REFUSED_AGAIN_MS);
  });
  socket.on(LIVE_FEED.event, (input: unknown, place?: { cursor?: string }) => {
    const envelope = eventEnvelope.safeParse(input);
    if (!envelope.success) return;
    cursor = place?.cursor ?? cursor;
    onEnvelope(envelope.data);
    try {
      onEvent(parseEvent(input));
    } catch (error) {
      // A newer server may have types that this page does not know: they are shown, not acted on.
      if (!(error instanceof InvalidEventError)) throw error;
    }
  });

  async function renewToken(): Promise<void> {
    if (!socket.connected) return;
    const fresh = await token();
    if (fresh === known || closed) return;
    known = fresh;
    socket.emit(LIVE_FEED.authenticate, { token: fresh });
  }
  const timer = window.setInterval(() => {
    // Without a token the server closes in time, and the reconnect reports it.
    renewToken().catch(() => onState('reconnecting'));
  }, TOKEN_CHECK_MS);

  return {
    close() {
      closed = true;
      clearInterval(timer);
      socket.close();
    },
  };
}
