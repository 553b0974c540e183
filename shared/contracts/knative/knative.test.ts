import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FieldError, Problem } from '../problem.ts';
import { type RevisionTemplate, type Service, serviceSpec } from '../resources/service.ts';
import { toServiceSpec } from './from-knative.ts';
import { formatCpu, formatMemory, parseCpu, parseDuration, parseMemory } from './quantity.ts';
import { toKnative } from './to-knative.ts';

type Json = Record<string, unknown>;

const knative = (parts: {
  container?: Json;
  spec?: Json;
  annotations?: Json;
  metadata?: Json;
  service?: Json;
  top?: Json;
}) => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'hello', ...parts.metadata },
  spec: {
    template: {
      ...(parts.annotations ? { metadata: { annotations: parts.annotations } } : {}),
      spec: { containers: [{ image: 'web:v1', ...parts.container }], ...parts.spec },
    },
    ...parts.service,
  },
  ...parts.top,
});

const template = (parts: Parameters<typeof knative>[0]) => toServiceSpec(knative(parts)).spec.template;

function errorsOf(input: unknown): readonly FieldError[] {
  try {
    toServiceSpec(input);
  } catch (error) {
    if (error instanceof Problem && error.code === 'request.invalid') return error.errors;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('toServiceSpec', () => {
  it('takes name, namespace and defaults of a minimal service', () => {
    expect(toServiceSpec(knative({ metadata: { namespace: 'demo' } }))).toEqual({
      project: 'demo',
      name: 'hello',
      spec: serviceSpec.parse({ template: { image: 'web:v1' } }),
      warnings: [],
    });
    expect(toServiceSpec(knative({})).project).toBeUndefined();
  });

  it.each<[string, Parameters<typeof knative>[0], Json]>([
    ['port and h2c', { container: { ports: [{ name: 'h2c', containerPort: 9000 }] } }, { port: 9000, protocol: 'h2c' }],
    [
      'env, without a value too',
      { container: { env: [{ name: 'A', value: '1' }, { name: 'B' }] } },
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '' },
        ],
      },
    ],
    [
      'command, args, workingDir',
      { container: { command: ['/a'], args: ['b'], workingDir: '/w' } },
      { command: ['/a'], args: ['b'], workingDir: '/w' },
    ],
    [
      'limits',
      { container: { resources: { limits: { cpu: '250m', memory: '1Gi' } } } },
      { resources: { cpuMilli: 250, memoryMib: 1024 } },
    ],
    [
      'concurrency and timeout',
      { spec: { containerConcurrency: 5, timeoutSeconds: 30 } },
      { containerConcurrency: 5, timeoutSeconds: 30 },
    ],
    ['grace', { spec: { terminationGracePeriodSeconds: 20 } }, { terminationGraceSeconds: 20 }],
    [
      'scales',
      { annotations: { 'autoscaling.knative.dev/min-scale': '1', 'autoscaling.knative.dev/maxScale': '9' } },
      { scaling: { minScale: 1, maxScale: 9 } },
    ],
    [
      'target',
      {
        annotations: {
          'autoscaling.knative.dev/target': '12.5',
          'autoscaling.knative.dev/target-utilization-percentage': '80',
        },
      },
      { scaling: { target: 12.5, targetUtilization: 0.8 } },
    ],
    [
      'window',
      { annotations: { 'autoscaling.knative.dev/window': '1m30s' } },
      { scaling: { stableWindowSeconds: 90 } },
    ],
    [
      'retention',
      { annotations: { 'autoscaling.knative.dev/scale-to-zero-pod-retention-period': '45s' } },
      { scaling: { scaleToZeroGraceSeconds: 45 } },
    ],
    [
      'Cloud Run billing',
      { annotations: { 'run.googleapis.com/cpu-throttling': 'false' } },
      { billingMode: 'instance' },
    ],
    [
      'readiness probe',
      { container: { readinessProbe: { httpGet: { path: '/healthz', port: 0 }, successThreshold: 1 } } },
      { startupProbe: { kind: 'http', path: '/healthz', periodMs: 100 } },
    ],
    [
      'startup probe',
      { container: { startupProbe: { tcpSocket: {}, periodSeconds: 2, failureThreshold: 5, timeoutSeconds: 3 } } },
      { startupProbe: { kind: 'tcp', periodMs: 2000, timeoutMs: 3000, deadlineSeconds: 10 } },
    ],
    [
      'readiness and liveness with Knative’s defaults',
      {
        container: {
          readinessProbe: { httpGet: { path: '/ready' } },
          livenessProbe: { exec: { command: ['/bin/check'] }, failureThreshold: 1 },
        },
      },
      {
        startupProbe: { kind: 'http', path: '/ready', deadlineSeconds: 240 },
        readinessProbe: { kind: 'http', path: '/ready', periodSeconds: 10, timeoutSeconds: 1, failureThreshold: 3 },
        livenessProbe: { kind: 'exec', command: ['/bin/check'], periodSeconds: 10, failureThreshold: 1 },
      },
    ],
    [
      'the idle ladder and further targets',
      {
        annotations: {
          'autoscaling.knative.dev/metric': 'rps',
          'autoscaling.knative.dev/initial-scale': '3',
          'skyrun.dev/idle-paused-for': '1m',
          'skyrun.dev/idle-stopped-for': '1h',
          'skyrun.dev/warm-pool': '2',
          'skyrun.dev/scale-targets': '[{"metric":"cpu","target":60}]',
        },
      },
      {
        scaling: {
          metric: 'rps',
          initialScale: 3,
          idle: { pausedSeconds: 60, stoppedSeconds: 3600 },
          warmPool: 2,
          targets: [{ metric: 'cpu', target: 60, scaleOutAbove: 1.1, scaleInCooldownSeconds: 60 }],
        },
      },
    ],
  ])('reads %s', (_, input, expected) => {
    expect(template(input)).toMatchObject(expected);
  });

  it.each<[string, unknown, string]>([
    ['another kind', { ...knative({}), kind: 'Pod' }, '/kind'],
    ['another version', { ...knative({}), apiVersion: 'v1' }, '/apiVersion'],
    ['an unknown field', knative({ top: { extra: 1 } }), '/extra'],
    ['a bad name', knative({ metadata: { name: 'Hello' } }), '/metadata/name'],
    ['labels', knative({ metadata: { labels: { a: 'b' } } }), '/metadata/labels'],
    [
      'an unknown annotation',
      knative({ annotations: { 'autoscaling.knative.dev/a': 'b' } }),
      '/spec/template/metadata/annotations/autoscaling.knative.dev~1a',
    ],
    [
      'a number as annotation',
      knative({ annotations: { 'autoscaling.knative.dev/min-scale': 1 } }),
      '/spec/template/metadata/annotations/autoscaling.knative.dev~1min-scale',
    ],
    [
      'a word as scale',
      knative({ annotations: { 'autoscaling.knative.dev/min-scale': 'one' } }),
      '/spec/template/metadata/annotations/autoscaling.knative.dev~1min-scale',
    ],
    [
      'min above max',
      knative({ annotations: { 'autoscaling.knative.dev/min-scale': '50' } }),
      '/spec/template/metadata/annotations/autoscaling.knative.dev~1min-scale',
    ],
    [
      'a short window',
      knative({ annotations: { 'autoscaling.knative.dev/window': '1s' } }),
      '/spec/template/metadata/annotations/autoscaling.knative.dev~1window',
    ],
    [
      'the metric cpu',
      knative({ annotations: { 'autoscaling.knative.dev/metric': 'cpu' } }),
      '/spec/template/metadata/annotations/autoscaling.knative.dev~1metric',
    ],
    [
      'two containers',
      knative({ spec: { containers: [{ image: 'a' }, { image: 'b' }] } }),
      '/spec/template/spec/containers',
    ],
    [
      'two ports',
      knative({ container: { ports: [{ containerPort: 1 }, { containerPort: 2 }] } }),
      '/spec/template/spec/containers/0/ports',
    ],
    [
      'a value from nowhere',
      knative({ container: { env: [{ name: 'A', valueFrom: {} }] } }),
      '/spec/template/spec/containers/0/env/0/valueFrom/secretKeyRef',
    ],
    [
      'a version that is none',
      knative({ container: { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'a', key: 'newest' } } }] } }),
      '/spec/template/spec/containers/0/env/0/valueFrom/secretKeyRef/key',
    ],
    [
      'PORT in env',
      knative({ container: { env: [{ name: 'PORT', value: '1' }] } }),
      '/spec/template/spec/containers/0/env/0/name',
    ],
    [
      'a bad CPU',
      knative({ container: { resources: { limits: { cpu: 'two' } } } }),
      '/spec/template/spec/containers/0/resources/limits/cpu',
    ],
    [
      'too little CPU',
      knative({ container: { resources: { limits: { cpu: '1m' } } } }),
      '/spec/template/spec/containers/0/resources/limits/cpu',
    ],
    [
      'a bad memory',
      knative({ container: { resources: { limits: { memory: '1Qi' } } } }),
      '/spec/template/spec/containers/0/resources/limits/memory',
    ],
    ['volumes', knative({ spec: { volumes: [] } }), '/spec/template/spec/volumes'],
    [
      'an exec probe without a command',
      knative({ container: { startupProbe: { exec: {} } } }),
      '/spec/template/spec/containers/0/startupProbe/exec/command',
    ],
    [
      'a gRPC probe',
      knative({ container: { livenessProbe: { grpc: { port: 1 } } } }),
      '/spec/template/spec/containers/0/livenessProbe/grpc',
    ],
    [
      'two handlers',
      knative({ container: { livenessProbe: { tcpSocket: {}, exec: { command: ['a'] } } } }),
      '/spec/template/spec/containers/0/livenessProbe',
    ],
    [
      'a schedule that is no cron expression',
      knative({ annotations: { 'skyrun.dev/scale-schedules': '[{"cron":"99 * * * *","minScale":2}]' } }),
      '/spec/template/metadata/annotations/skyrun.dev~1scale-schedules',
    ],
    [
      'a probe of another port',
      knative({ container: { readinessProbe: { tcpSocket: { port: 9 } } } }),
      '/spec/template/spec/containers/0/readinessProbe/tcpSocket/port',
    ],
    ['traffic of 90 %', knative({ service: { traffic: [{ latestRevision: true, percent: 90 }] } }), '/spec/traffic'],
    ['not an object', 'hello', ''],
  ])('refuses %s and says where', (_, input, field) => {
    const errors = errorsOf(input);
    expect(errors.map((error) => error.field)).toContain(field);
    expect(errors.every(({ message }) => message.length > 0)).toBe(true);
  });

  it('names every wrong field at once', () => {
    const input = knative({
      annotations: { 'autoscaling.knative.dev/window': 'soon' },
      container: { resources: { limits: { cpu: 'x', memory: 'y' } } },
    });
    expect(errorsOf(input)).toHaveLength(3);
  });

  it('ignores only what a server writes', () => {
    const input = knative({
      metadata: { uid: 'u', generation: 3, creationTimestamp: 'x' },
      top: { status: { url: 'x' } },
    });
    expect(toServiceSpec(input).name).toBe('hello');
  });
});

describe('toKnative', () => {
  const seconds = fc.integer({ min: 6, max: 3600 });
  const templates: fc.Arbitrary<RevisionTemplate> = fc
    .record({
      port: fc.integer({ min: 1, max: 65_535 }),
      protocol: fc.constantFrom('http1', 'h2c'),
      env: fc.uniqueArray(fc.record({ name: fc.stringMatching(/^X[A-Z]{1,8}$/), value: fc.string() }), {
        selector: ({ name }) => name,
        maxLength: 4,
      }),
      containerConcurrency: fc.integer({ min: 0, max: 1000 }),
      timeoutSeconds: fc.integer({ min: 1, max: 3600 }),
      terminationGraceSeconds: fc.integer({ min: 1, max: 600 }),
      billingMode: fc.constantFrom('request', 'instance'),
      resources: fc.record({
        cpuMilli: fc.integer({ min: 50, max: 64_000 }),
        memoryMib: fc.integer({ min: 16, max: 262_144 }),
      }),
      scaling: fc.record({
        minScale: fc.integer({ min: 0, max: 10 }),
        maxScale: fc.integer({ min: 10, max: 1000 }),
        targetUtilization: fc.integer({ min: 1, max: 100 }).map((percent) => percent / 100),
        stableWindowSeconds: seconds,
        scaleToZeroGraceSeconds: seconds,
        scaleDownDelaySeconds: seconds,
        metric: fc.constantFrom('concurrency', 'rps'),
        initialScale: fc.integer({ min: 1, max: 9 }),
        maxScaleDownRate: fc.constantFrom(1.5, 2, 4),
        idle: fc.record({ pausedSeconds: seconds, stoppedSeconds: fc.integer({ min: 0, max: 100 }) }),
        warmPool: fc.integer({ min: 0, max: 3 }),
        targets: fc.option(fc.constant([{ metric: 'custom', name: 'queue_depth', target: 5 }]), { nil: undefined }),
        schedules: fc.option(fc.constant([{ cron: '0 8 * * MON-FRI', timeZone: 'Europe/Berlin', minScale: 2 }]), {
          nil: undefined,
        }),
      }),
      livenessProbe: fc.option(fc.constant({ kind: 'exec', command: ['/check'] }), { nil: undefined }),
      readinessProbe: fc.option(
        fc.record({ kind: fc.constantFrom('tcp', 'http'), periodSeconds: fc.integer({ min: 1, max: 60 }) }),
        { nil: undefined },
      ),
      startupProbe: fc.oneof(
        fc.record({ kind: fc.constant('tcp'), periodMs: fc.integer({ min: 10, max: 300_000 }) }),
        fc.record({
          kind: fc.constant('http'),
          path: fc.stringMatching(/^\/[a-z]{0,9}$/),
          timeoutMs: fc.integer({ min: 10, max: 60_000 }),
          deadlineSeconds: seconds,
        }),
      ),
    })
    .map((parts) => serviceSpec.parse({ template: { image: 'web', ...parts } }).template);

  const service = (spec: Service['spec']): Service => ({
    id: 'svc_0190a000-0000-7000-8000-000000000000',
    project: 'demo',
    name: 'hello',
    generation: 2,
    spec,
    status: {
      url: 'http://hello.demo.localhost',
      observedGeneration: 2,
      conditions: [],
      latestCreatedRevision: 'hello-00002',
      latestReadyRevision: 'hello-00001',
      traffic: [{ revisionName: 'hello-00001', percent: 100 }],
      instances: { ready: 0, starting: 0, draining: 0 },
    },
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  });

  it('writes what toServiceSpec reads back to the same spec', () => {
    fc.assert(
      fc.property(templates, (parts) => {
        const spec = serviceSpec.parse({ template: parts });
        const wire = JSON.parse(JSON.stringify(toKnative(service(spec))));
        expect(toServiceSpec(wire)).toEqual({ project: 'demo', name: 'hello', spec, warnings: [] });
      }),
      { numRuns: 200 },
    );
  });

  it('keeps a simple service free of annotations, and shows its status', () => {
    const shown = toKnative(service(serviceSpec.parse({ template: { image: 'web' } })));
    expect(shown.spec.template.metadata).toBeUndefined();
    expect(shown.status).toMatchObject({ latestReadyRevisionName: 'hello-00001', url: 'http://hello.demo.localhost' });
  });
});

describe('quantities', () => {
  it.each<[string | number, number | null]>([
    ['1', 1000],
    ['500m', 500],
    ['0.25', 250],
    [2, 2000],
    ['1.5m', null],
    ['', null],
    ['-1', null],
    ['1k', null],
  ])('CPU %s', (text, milli) => {
    expect(parseCpu(text)).toBe(milli);
  });
  it.each<[string | number, number | null]>([
    ['512Mi', 512],
    ['1Gi', 1024],
    ['1G', 954],
    ['134217728', 128],
    ['1048577', 2],
    ['1.5Gi', 1536],
    ['1m', null],
    ['Mi', null],
  ])('memory %s', (text, mib) => {
    expect(parseMemory(text)).toBe(mib);
  });
  it.each<[string, number | null]>([
    ['60s', 60],
    ['1m30s', 90],
    ['1h', 3600],
    ['', null],
    ['60', null],
    ['1.5s', null],
    ['100ms', null],
  ])('duration %s', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });
  it('formats what it reads', () => {
    expect([formatCpu(1000), formatCpu(1500), formatMemory(1024), formatMemory(700)]).toEqual([
      '1',
      '1500m',
      '1Gi',
      '700Mi',
    ]);
  });
});
