import type { z } from 'zod';
import type { FieldError } from '../problem.ts';
import { type ServiceSpec, serviceSpec } from '../resources/service.ts';

const { policy, rollout, sessionAffinity } = serviceSpec.shape;

/** What belongs to a service, not to a revision, and has no field of Knative's: the value is that part of our spec in JSON. */
const RULES = [
  { name: 'skyrun.dev/policy', part: 'policy', schema: policy, such: '{"invoker":"members"}' },
  { name: 'skyrun.dev/rollout', part: 'rollout', schema: rollout, such: '{"steps":[{"percent":10,"seconds":60}]}' },
  { name: 'skyrun.dev/session-affinity', part: 'sessionAffinity', schema: sessionAffinity, such: 'true' },
] as const satisfies readonly { name: string; part: keyof ServiceSpec; schema: z.ZodType; such: string }[];

export type ServiceExtras = Pick<ServiceSpec, (typeof RULES)[number]['part']>;

export const isServiceAnnotation = (name: string): boolean => name.startsWith('skyrun.dev/');

/** Reads a service's own annotations; those of others are the caller's to keep or refuse. */
export function readServiceAnnotations(
  annotations: Readonly<Record<string, string>>,
  field: string,
  errors: FieldError[],
): ServiceExtras {
  let extras: ServiceExtras = {};
  for (const [name, text] of Object.entries(annotations)) {
    const at = `${field}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const rule = RULES.find((one) => one.name === name);
    if (rule === undefined) {
      const known = RULES.map((one) => one.name).join(', ');
      errors.push({ field: at, message: `this annotation of a service is not supported; there are ${known}` });
      continue;
    }
    const value = parsed(text);
    const checked = rule.schema.safeParse(value);
    if (value === undefined) errors.push({ field: at, message: `expected JSON, such as ${rule.such}` });
    else if (checked.success) extras = { ...extras, [rule.part]: checked.data };
    for (const issue of checked.error?.issues ?? []) {
      const path = issue.path.map((part) => `.${String(part)}`).join('');
      errors.push({ field: at, message: `${path === '' ? '' : `${path.slice(1)}: `}${issue.message}` });
    }
  }
  return extras;
}

/** `readServiceAnnotations` reads them back to the same. */
export function writeServiceAnnotations(spec: ServiceExtras): Record<string, string> {
  return Object.fromEntries(
    RULES.flatMap(({ name, part }) => (spec[part] === undefined ? [] : [[name, JSON.stringify(spec[part])]])),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
