import type { RequestFields } from './request-fields.ts';
import type { RequestLine } from './request-line.ts';

/** 16 bytes in base64: the last of 22 digits holds two bits, so it is one of four (RFC 6455 §4.1). */
const WEBSOCKET_KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/**
 * What is wrong with a request that asks to change protocols, as text, or null. One that an instance might take for a
 * handshake and a reader on the way for something else would open a tunnel that only one of them knows of.
 */
export function handshakeFault(line: Pick<RequestLine, 'method' | 'minor'>, fields: RequestFields): string | null {
  if (line.minor === 0) return 'HTTP/1.0 has no Upgrade';
  if (!/(?:^|,)[ \t]*websocket[ \t]*(?:,|$)/i.test(fields.upgrade)) return null;
  if (line.method !== 'GET') return 'a WebSocket is opened with GET';
  if (fields.framing !== 'none') return 'the request for a WebSocket has no body';
  return WEBSOCKET_KEY.test(fields.webSocketKey) ? null : 'Sec-WebSocket-Key is not one key of 16 bytes in base64';
}
