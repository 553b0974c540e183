import { fieldErrors, makeId, OPERATIONS, Problem, type Service, type ServiceSpec } from '@skyrun/contracts';
import type { ApiClient } from '../api/client.ts';
import { pageClock } from '../clock.ts';

/** One key for one intention: a repeated click or a retried request creates once. */
export function makeIdempotencyKey(): string {
  // Not crypto.randomUUID: it exists in secure contexts only, and this page may be open over plain HTTP.
  return makeId('request', { now: pageClock.now(), random: crypto.getRandomValues(new Uint8Array(10)) });
}

interface NewService {
  readonly project: string;
  readonly name: string;
  readonly spec: ServiceSpec;
  readonly idempotencyKey: string;
}

/** Checks the input as the server will, so that most mistakes show without a round trip; throws a Problem. */
export async function createService(
  api: ApiClient,
  { project, name, spec, idempotencyKey }: NewService,
): Promise<Service> {
  const body = OPERATIONS.createService.body.safeParse({ name, spec });
  if (!body.success) throw new Problem('request.invalid', { errors: fieldErrors(body.error), detail: FIX_FIELDS });
  return api.call(OPERATIONS.createService, {
    params: { project },
    body: body.data,
    headers: { 'idempotency-key': idempotencyKey },
  });
}

/** Replaces the spec if nobody else changed it since `generation`; throws a Problem. */
export async function replaceService(
  api: ApiClient,
  { project, name, spec, generation }: { project: string; name: string; spec: ServiceSpec; generation: number },
): Promise<Service> {
  const body = OPERATIONS.replaceService.body.safeParse({ spec });
  if (!body.success) throw new Problem('request.invalid', { errors: fieldErrors(body.error), detail: FIX_FIELDS });
  return api.call(OPERATIONS.replaceService, {
    params: { project, service: name },
    body: body.data,
    headers: { 'if-match': `"${generation}"` },
  });
}

const FIX_FIELDS = 'Mend the marked fields.';
