import { OPERATIONS, Problem } from '@skyrun/contracts';
import type { Client } from '@skyrun/kit';
import { type InstanceSpec, type Runtime, RuntimeError } from './runtime.ts';

/**
 * A runtime whose containers get the values of the secrets they name, asked of the registry at each start and kept nowhere
 * here: not in a record, a log line or an event.
 */
export function withSecrets(runtime: Runtime, registry: Pick<Client, 'call'>): Runtime {
  return {
    ...runtime,
    name: runtime.name,
    images: runtime.images,
    async start(spec, mayAct) {
      return await runtime.start(await resolved(spec, registry), mayAct);
    },
  };
}

async function resolved(spec: InstanceSpec, registry: Pick<Client, 'call'>): Promise<InstanceSpec> {
  const { secrets = [], ...rest } = spec;
  if (secrets.length === 0) return rest;
  try {
    const { values } = await registry.call(OPERATIONS.resolveSecrets, {
      body: { project: spec.project, references: secrets.map(({ secret }) => secret) },
    });
    const found = secrets.map(({ name }, index) => ({ name, value: values[index] ?? '' }));
    return { ...rest, env: [...found, ...rest.env] };
  } catch (error) {
    // Another attempt would find no more of it; that the registry does not answer is no verdict.
    if (error instanceof Problem && error.code === 'resource.not_found') {
      throw new RuntimeError('cannot_start', error.detail ?? error.message, error);
    }
    throw error;
  }
}
