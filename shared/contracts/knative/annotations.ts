import type { RevisionTemplate } from '../resources/service.ts';
import { formatDuration, parseDuration } from './quantity.ts';

/** What a Knative Service says in annotations of its template. One table for both ways, so that what is read is written. */
export interface AnnotationRule {
  /** The first name is written, all are read. */
  readonly names: readonly string[];
  readonly expected: string;
  /** Null for a value that cannot be read. */
  readonly read: (value: string) => Patch | null;
  /** Null where the template needs no such annotation. */
  readonly write: (template: RevisionTemplate) => string | null;
}

/** Parts of a template's input; merged in order. */
export interface Patch {
  readonly billingMode?: RevisionTemplate['billingMode'];
  readonly scaling?: Readonly<Record<string, number>>;
  readonly startupProbe?: Readonly<Record<string, number>>;
}

const KNATIVE = 'autoscaling.knative.dev';

type ScalingField =
  | 'minScale'
  | 'maxScale'
  | 'target'
  | 'panicWindowPercent'
  | 'panicThresholdPercent'
  | 'stableWindowSeconds'
  | 'scaleToZeroGraceSeconds'
  | 'scaleDownDelaySeconds';

function numberRule(field: ScalingField, ...names: string[]): AnnotationRule {
  return {
    names: names.map((name) => `${KNATIVE}/${name}`),
    expected: 'expected a number in quotes, such as "3"',
    read: (value) => readNumber(value, (number) => ({ scaling: { [field]: number } })),
    write: ({ scaling }) => (scaling[field] === undefined ? null : String(scaling[field])),
  };
}

function durationRule(field: ScalingField, name: string): AnnotationRule {
  return {
    names: [`${KNATIVE}/${name}`],
    expected: 'expected whole seconds, such as "60s"',
    read(value) {
      const seconds = parseDuration(value);
      return seconds === null ? null : { scaling: { [field]: seconds } };
    },
    write: ({ scaling }) => formatDuration(scaling[field] ?? 0),
  };
}

function fixedRule(name: string, only: string): AnnotationRule {
  return {
    names: [`${KNATIVE}/${name}`],
    expected: `only "${only}" is supported`,
    read: (value) => (value === only ? {} : null),
    write: () => null,
  };
}

/** Probes of Knative count in seconds; ours in milliseconds. */
function probeRule(field: 'periodMs' | 'timeoutMs' | 'deadlineSeconds', name: string): AnnotationRule {
  return {
    names: [`skyrun.dev/${name}`],
    expected: 'expected a number in quotes, such as "100"',
    read: (value) => readNumber(value, (number) => ({ startupProbe: { [field]: number } })),
    write: ({ startupProbe }) => String(startupProbe[field]),
  };
}

export const ANNOTATION_RULES: readonly AnnotationRule[] = [
  numberRule('minScale', 'min-scale', 'minScale'),
  numberRule('maxScale', 'max-scale', 'maxScale'),
  numberRule('target', 'target'),
  {
    names: [`${KNATIVE}/target-utilization-percentage`, `${KNATIVE}/targetUtilizationPercentage`],
    expected: 'expected a percentage in quotes, such as "70"',
    read: (value) => readNumber(value, (percent) => ({ scaling: { targetUtilization: percent / 100 } })),
    write: ({ scaling }) => String(Number((scaling.targetUtilization * 100).toPrecision(12))),
  },
  durationRule('stableWindowSeconds', 'window'),
  numberRule('panicWindowPercent', 'panic-window-percentage', 'panicWindowPercentage'),
  numberRule('panicThresholdPercent', 'panic-threshold-percentage', 'panicThresholdPercentage'),
  durationRule('scaleToZeroGraceSeconds', 'scale-to-zero-pod-retention-period'),
  durationRule('scaleDownDelaySeconds', 'scale-down-delay'),
  fixedRule('class', 'kpa.autoscaling.knative.dev'),
  fixedRule('metric', 'concurrency'),
  fixedRule('initial-scale', '1'),
  {
    // Cloud Run: CPU that is always allocated is billed for the instance's whole life.
    names: ['run.googleapis.com/cpu-throttling'],
    expected: 'expected "true" or "false"',
    read(value) {
      if (value !== 'true' && value !== 'false') return null;
      return { billingMode: value === 'true' ? 'request' : 'instance' };
    },
    write: ({ billingMode }) => (billingMode === 'request' ? 'true' : 'false'),
  },
  probeRule('periodMs', 'probe-period-ms'),
  probeRule('timeoutMs', 'probe-timeout-ms'),
  probeRule('deadlineSeconds', 'probe-deadline-seconds'),
];

function readNumber(value: string, patch: (number: number) => Patch): Patch | null {
  return /^[0-9]{1,9}(\.[0-9]{1,6})?$/.test(value) ? patch(Number(value)) : null;
}
