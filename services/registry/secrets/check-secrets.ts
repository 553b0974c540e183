import { type FieldError, Problem, type RevisionTemplate } from '@skyrun/contracts';
import { keepSecrets } from '../store/secrets.ts';
import type { Store } from '../store/tables.ts';

/**
 * That a template names only secrets and versions that there are; they stay until the transaction ends.
 * @throws Problem `request.invalid` with each field
 */
export async function checkSecrets(store: Store, project: string, { env }: RevisionTemplate): Promise<void> {
  const names = env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef.name ?? []);
  const secrets = new Map((await keepSecrets(store, project, names)).map((row) => [row.name, row]));
  const errors: FieldError[] = [];
  for (const [index, { valueFrom }] of env.entries()) {
    if (valueFrom === undefined) continue;
    const { name, key } = valueFrom.secretKeyRef;
    const at = `/spec/template/env/${index}/valueFrom/secretKeyRef`;
    const known = secrets.get(name);
    if (known === undefined)
      errors.push({ field: `${at}/name`, message: `there is no secret ${name}; create it first` });
    else if (key !== 'latest' && Number(key) > known.latest_version) {
      errors.push({ field: `${at}/key`, message: `${name} has versions up to ${known.latest_version}` });
    }
  }
  const [first] = errors;
  if (first) throw new Problem('request.invalid', { detail: `${first.field}: ${first.message}`, errors });
}
