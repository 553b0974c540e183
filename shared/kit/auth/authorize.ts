import type { IncomingHttpHeaders } from 'node:http';
import { type Operation, Problem } from '@skyrun/contracts';
import type { Authenticator, Caller } from './authenticator.ts';

export interface AuthorizedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Who calls, when they may. Throws `auth.required`, `auth.invalid_token` or `auth.forbidden`. Null for `public`. */
export async function authorize(
  operation: Operation,
  request: AuthorizedRequest,
  authenticator: Authenticator,
): Promise<Caller | null> {
  if (operation.permission === 'public') return null;
  const caller = await authenticator.authenticate(request.headers);
  if (!caller)
    throw new Problem('auth.required', {
      detail: 'send Authorization: Bearer <access token or API key>, or X-API-Key',
    });
  const project = typeof request.params['project'] === 'string' ? request.params['project'] : null;
  if (await authenticator.can(caller, operation.permission, project)) return caller;
  const where = project === null ? '' : ` in project ${project}`;
  throw new Problem('auth.forbidden', { detail: `this needs the permission ${operation.permission}${where}` });
}
