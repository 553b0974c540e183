import { z } from 'zod';
import { scaleSchedule, scaleTarget, type scaling } from '../resources/scaling.ts';
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

type ScalingInput = z.input<typeof scaling>;
type ScalingPatch = { readonly [Field in keyof ScalingInput]?: Exclude<ScalingInput[Field], undefined> };

/** Parts of a template's input; merged in order. */
export interface Patch {
  readonly billingMode?: RevisionTemplate['billingMode'];
  readonly scaling?: ScalingPatch;
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
  | 'scaleDownDelaySeconds'
  | 'initialScale'
  | 'activationScale'
  | 'maxScaleUpRate'
  | 'maxScaleDownRate'
  | 'warmPool';

const SKYRUN = 'skyrun.dev';

function numberRule(field: ScalingField, ...names: string[]): AnnotationRule {
  return {
    names: names.map((name) => (name.includes('/') ? name : `${KNATIVE}/${name}`)),
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

function idleRule(field: 'pausedSeconds' | 'stoppedSeconds', name: string): AnnotationRule {
  return {
    names: [`${SKYRUN}/${name}`],
    expected: 'expected whole seconds, such as "300s"; "0s" leaves the rung out',
    read(value) {
      const seconds = parseDuration(value);
      return seconds === null ? null : { scaling: { idle: { [field]: seconds } } };
    },
    write: ({ scaling }) => formatDuration(scaling.idle[field]),
  };
}

/** What has no annotation of Knative's and more than one part. */
function jsonRule(
  name: string,
  expected: string,
  patch: (value: unknown) => Patch,
  pick: (template: RevisionTemplate) => unknown,
): AnnotationRule {
  return {
    names: [`${SKYRUN}/${name}`],
    expected,
    read(value) {
      try {
        return patch(JSON.parse(value));
      } catch {
        return null;
      }
    },
    write(template) {
      const value = pick(template);
      return value === undefined ? null : JSON.stringify(value);
    },
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

const PROBE_DEADLINE_NAME = 'probe-deadline-seconds';
export const PROBE_DEADLINE = `skyrun.dev/${PROBE_DEADLINE_NAME}`;

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
  {
    names: [`${KNATIVE}/metric`],
    expected: 'expected "concurrency" or "rps"',
    read: (value) => (value === 'concurrency' || value === 'rps' ? { scaling: { metric: value } } : null),
    write: ({ scaling }) => scaling.metric,
  },
  numberRule('initialScale', 'initial-scale', 'initialScale'),
  numberRule('activationScale', 'activation-scale', 'activationScale'),
  numberRule('maxScaleUpRate', `${SKYRUN}/max-scale-up-rate`),
  numberRule('maxScaleDownRate', `${SKYRUN}/max-scale-down-rate`),
  numberRule('warmPool', `${SKYRUN}/warm-pool`),
  idleRule('pausedSeconds', 'idle-paused-for'),
  idleRule('stoppedSeconds', 'idle-stopped-for'),
  {
    names: [`${SKYRUN}/scale-predictive`],
    expected: 'expected "true" or "false"',
    read: (value) => (value === 'true' || value === 'false' ? { scaling: { predictive: value === 'true' } } : null),
    write: ({ scaling }) => String(scaling.predictive),
  },
  jsonRule(
    'scale-targets',
    'expected a list in JSON, such as [{"metric":"cpu","target":60}]',
    (value) => ({ scaling: { targets: z.array(scaleTarget).parse(value) } }),
    ({ scaling }) => scaling.targets,
  ),
  jsonRule(
    'scale-schedules',
    'expected a list in JSON, such as [{"cron":"0 8 * * MON-FRI","timeZone":"Europe/Berlin","durationSeconds":36000,"minScale":3}]',
    (value) => ({ scaling: { schedules: z.array(scaleSchedule).parse(value) } }),
    ({ scaling }) => scaling.schedules,
  ),
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
  probeRule('deadlineSeconds', PROBE_DEADLINE_NAME),
];

function readNumber(value: string, patch: (number: number) => Patch): Patch | null {
  return /^[0-9]{1,9}(\.[0-9]{1,6})?$/.test(value) ? patch(Number(value)) : null;
}
