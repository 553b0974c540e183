import { type Image, type RevisionTemplate, type ServiceSpec, serviceSpec } from '@skyrun/contracts';

export interface VariableRow {
  readonly key: string;
  readonly name: string;
  readonly value: string;
  /** The secret that the value comes from; then `value` is its version, or empty for the latest. */
  readonly secret?: string | undefined;
}

/** A form holds text; numbers are made of it once, when it is sent. */
export interface FormValues {
  readonly name: string;
  readonly image: string;
  readonly port: string;
  readonly minScale: string;
  readonly maxScale: string;
  readonly concurrency: string;
  readonly cpu: string;
  readonly memoryMib: string;
  readonly timeoutSeconds: string;
  readonly billingMode: RevisionTemplate['billingMode'];
  readonly env: readonly VariableRow[];
}

/** vCPU as text to thousandths; text that is no number becomes NaN, which the schema refuses by name. */
const milli = (cpu: string): number => Math.round(Number(cpu.trim() === '' ? 'x' : cpu) * 1000);
const whole = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));

/** The contracts' own default template, so that the form never shows another default than the server has. */
export function defaultTemplate(image: string): RevisionTemplate {
  return serviceSpec.parse({ template: { image } }).template;
}

export function valuesOf(name: string, template: RevisionTemplate): FormValues {
  return {
    name,
    image: template.image,
    port: String(template.port),
    minScale: String(template.scaling.minScale),
    maxScale: String(template.scaling.maxScale),
    concurrency: String(template.containerConcurrency),
    cpu: String(template.resources.cpuMilli / 1000),
    memoryMib: String(template.resources.memoryMib),
    timeoutSeconds: String(template.timeoutSeconds),
    billingMode: template.billingMode,
    env: template.env.map(({ name: variable, value = '', valueFrom }, index) => {
      const row = { key: `given-${index}`, name: variable };
      if (valueFrom === undefined) return { ...row, value };
      const { name: secret, key } = valueFrom.secretKeyRef;
      return { ...row, value: key === 'latest' ? '' : key, secret };
    }),
  };
}

/** The values over a template: what the form does not show stays as it was. Rows left empty are dropped. */
export function specOf(values: FormValues, template: RevisionTemplate): ServiceSpec {
  return {
    template: {
      ...template,
      image: values.image.trim(),
      port: whole(values.port),
      containerConcurrency: whole(values.concurrency),
      timeoutSeconds: whole(values.timeoutSeconds),
      billingMode: values.billingMode,
      resources: { ...template.resources, cpuMilli: milli(values.cpu), memoryMib: whole(values.memoryMib) },
      scaling: { ...template.scaling, minScale: whole(values.minScale), maxScale: whole(values.maxScale) },
      env: values.env
        .filter(({ name, value, secret }) => name !== '' || value !== '' || secret !== undefined)
        .map(({ name, value, secret }) =>
          secret === undefined
            ? { name: name.trim(), value }
            : { name: name.trim(), valueFrom: { secretKeyRef: { name: secret, key: value.trim() || 'latest' } } },
        ),
    },
    traffic: [{ latestRevision: true, percent: 100 }],
  };
}

const MAX_NAME = 40;

/** A service name made of an image's: the last part, as a DNS label, and not one that is taken. */
export function suggestName(imageName: string, taken: readonly string[]): string {
  const last = imageName.split('/').at(-1) ?? '';
  const label = last
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, MAX_NAME - 4)
    .replace(/-+$/, '');
  const base = label === '' ? 'service' : label;
  let name = base;
  for (let number = 2; taken.includes(name); number += 1) name = `${base}-${number}`;
  return name;
}

export function templateForImage(image: Image): RevisionTemplate {
  const template = defaultTemplate(`${image.name}:${image.tag}`);
  const [port] = image.exposedPorts;
  return port === undefined ? template : { ...template, port };
}
