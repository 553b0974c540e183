import {
  type AnyEvent,
  type EventEnvelope,
  eventEnvelope,
  InvalidEventError,
  LIVE_FEED,
  parseEvent,
} from '@skyrun/contracts';
import { io, type Socket } from 'socket.io-client';

export type FeedState = 'connecting' | 'live' | 'reconnecting' | 'refused';

export interface LiveFeedOptions {
  readonly project: string;
  readonly token: () => Promise<string>;
  /** Every event, also one that this page's catalogue does not know. */
  readonly onEnvelope: (event: EventEnvelope) => void;
  readonly onEvent: (event: AnyEvent) => void;
  readonly onState: (state: FeedState) => void;
  /** Called when the feed is live again after a gap. */
  readonly onResumed: () => void;
}

/** Follows a project's events until `close` is called; reconnects by itself. */
export function openLiveFeed(options: LiveFeedOptions): { close(): void } {
  const { project, token, onEnvelope, onEvent, onState, onResumed } = options;
  let wasLive = false;
  let closed = false;
  const socket: Socket = io({
    path: LIVE_FEED.path,
    auth: (send) => {
      // Without a token the server refuses, which is reported as a connect_error below.
      token().then(
        (value) => send({ token: value }),
        () => send({}),
      );
    },
    reconnectionDelay: 500,
    reconnectionDelayMax: 5000,
    transports: ['websocket', 'polling'],
  });

  onState('connecting');
  socket.on('connect', () => {
    socket.timeout(5000).emit(LIVE_FEED.subscribe, { project }, (error: unknown, answer?: { ok: boolean }) => {
      if (closed) return;
      if (error || answer === undefined) {
        // No acknowledgement: start over rather than sit in a room that may not exist.
        socket.disconnect().connect();
        return;
      }
      onState(answer.ok ? 'live' : 'refused');
      if (answer.ok && wasLive) onResumed();
      wasLive ||= answer.ok;
    });
  });
  socket.on('connect_error', () => {
    onState(wasLive ? 'reconnecting' : 'connecting');
    // A refusal by the server's middleware is not retried by socket.io itself.
    if (!socket.active) window.setTimeout(() => closed || socket.connect(), 2000);
  });
  socket.on('disconnect', (reason) => {
    if (closed) return;
    onState('reconnecting');
    if (reason === 'io server disconnect') window.setTimeout(() => closed || socket.connect(), 500);
  });
  socket.on(LIVE_FEED.event, (input: unknown) => {
    const envelope = eventEnvelope.safeParse(input);
    if (!envelope.success) return;
    onEnvelope(envelope.data);
    try {
      onEvent(parseEvent(input));
    } catch (error) {
      // A newer server may have types that this page does not know: they are shown, not acted on.
      if (!(error instanceof InvalidEventError)) throw error;
    }
  });

  return {
    close() {
      closed = true;
      socket.close();
    },
  };
}
