/** How a message's body ends (RFC 9112 §6.3). `close` exists for responses only. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

/** Fields that concern one connection only and never pass (RFC 9110 §7.6.1), or that the gateway writes itself. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** What `Connection` may not name: taking these away would change where a message goes or ends. */
export const NEVER_NAMED: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding']);

/** The lower-case tokens of a comma list; null when one is not a token. */
export function tokenList(value: string, isToken: (text: string) => boolean): string[] | null {
  const tokens: string[] = [];
  for (const part of value.split(',')) {
    const token = part.trim().toLowerCase();
    if (token === '') continue;
    if (!isToken(token)) return null;
    tokens.push(token);
  }
  return tokens;
}
