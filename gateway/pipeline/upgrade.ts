import { createHash } from 'node:crypto';
import type { RequestFields } from '../http1/request-fields.ts';
import type { ResponseFields } from '../http1/response-head.ts';

const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Whether a 101 is the change that the request asked for; for WebSocket the handshake's proof is checked too. */
export function acceptsSwitch(request: RequestFields, response: ResponseFields): boolean {
  if (request.upgrade === '' || response.upgrade === '') return false;
  const asked = request.upgrade
    .toLowerCase()
    .split(',')
    .map((protocol) => protocol.trim());
  const chosen = response.upgrade.trim().toLowerCase();
  if (!asked.includes(chosen)) return false;
  if (chosen !== 'websocket') return true;
  return response.webSocketAccept === webSocketProof(request.webSocketKey);
}

/** Sec-WebSocket-Accept of RFC 6455 §4.2.2. */
export function webSocketProof(key: string): string {
  return createHash('sha1')
    .update(key + WEBSOCKET_GUID)
    .digest('base64');
}
