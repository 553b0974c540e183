import { API_KEY } from '@skyrun/contracts';
import type { RequestFields } from '../http1/request-fields.ts';

/** The bearer token that is sent, of whatever kind. */
export function sentToken({ authorization }: RequestFields): string | undefined {
  return authorization === '' ? undefined : /^Bearer +(\S+)$/i.exec(authorization)?.[1];
}

/** The Skyrun API key that is sent; other keys, and other tokens, are the service's own affair. */
export function sentApiKey(fields: RequestFields): string | undefined {
  const sent = sentToken(fields) ?? fields.apiKey;
  return sent !== '' && API_KEY.test(sent) ? sent : undefined;
}
