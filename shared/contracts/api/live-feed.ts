/**
 * The socket.io live feed. The access token goes into the handshake's `auth.token`.
 *
 * client → server, each acknowledged with a `FeedAnswer`:
 * - `subscribe` a `FeedSubscription`; the answer comes after the missed events were sent, when `after` names where to go on;
 * - `unsubscribe` the same without `after`;
 * - `authenticate` `{ token }`: a fresh token before the old one expires, or the server closes.
 *
 * server → client:
 * - `event` (CloudEvent, `{ cursor }`): keep the newest cursor and give it as `after` when you come back;
 * - `closing` (ProblemDetails): why the connection ends now. socket.io's client reconnects by itself; subscribe again then.
 */
export const LIVE_FEED = {
  path: '/socket.io',
  subscribe: 'subscribe',
  unsubscribe: 'unsubscribe',
  authenticate: 'authenticate',
  event: 'event',
  closing: 'closing',
} as const;
