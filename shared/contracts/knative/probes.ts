import type { z } from 'zod';
import type { FieldError } from '../problem.ts';
import type { HealthProbe, healthProbe, Probe, probe } from '../resources/probe.ts';
import { CONTAINER } from './places.ts';
import type { KnativeProbe } from './schema.ts';

type ProbeInput = z.input<typeof probe>;
type HealthProbeInput = z.input<typeof healthProbe>;

interface Probed {
  readonly startupProbe?: KnativeProbe | undefined;
  readonly readinessProbe?: KnativeProbe | undefined;
  readonly livenessProbe?: KnativeProbe | undefined;
}

interface Probes {
  readonly startupProbe: ProbeInput;
  readonly readinessProbe?: HealthProbeInput;
  readonly livenessProbe?: HealthProbeInput;
}

/**
 * Knative's three probes. An instance has come up when its startup probe succeeds or, without one, its readiness probe,
 * which is then asked as often as it can be. A readiness probe that is no more than the default (a TCP connect
 * without a period) says nothing that the startup did not, and is not asked again.
 */
export function readProbes(container: Probed, port: number | undefined, errors: FieldError[]): Probes {
  const { startupProbe, readinessProbe, livenessProbe } = container;
  const check = (field: keyof Probed) => {
    const given = container[field];
    if (given) checkProbe(given, port, `${CONTAINER}/${field}`, errors);
  };
  check('startupProbe');
  check('readinessProbe');
  check('livenessProbe');
  return {
    startupProbe: startupOf(startupProbe, readinessProbe),
    ...(readinessProbe === undefined || isDefault(readinessProbe) ? {} : { readinessProbe: health(readinessProbe) }),
    ...(livenessProbe === undefined ? {} : { livenessProbe: health(livenessProbe) }),
  };
}

function isDefault({ httpGet, exec, periodSeconds = 0 }: KnativeProbe): boolean {
  return httpGet === undefined && exec === undefined && periodSeconds === 0;
}

function startupOf(startup: KnativeProbe | undefined, readiness: KnativeProbe | undefined): ProbeInput {
  if (startup === undefined) return readiness === undefined ? {} : { ...asked(readiness), ...timing(readiness, false) };
  const { periodSeconds = 0, failureThreshold = 0, initialDelaySeconds = 0 } = startup;
  const deadlineSeconds = initialDelaySeconds + (periodSeconds || 10) * (failureThreshold || 3);
  return { ...asked(startup), ...timing(startup, true), deadlineSeconds };
}

function timing({ periodSeconds = 0, timeoutSeconds = 0 }: KnativeProbe, withPeriod: boolean): ProbeInput {
  return {
    ...(withPeriod && periodSeconds !== 0 ? { periodMs: periodSeconds * 1000 } : {}),
    ...(timeoutSeconds === 0 ? {} : { timeoutMs: timeoutSeconds * 1000 }),
  };
}

/** 0 and nothing are the default, as in Knative. */
function health(given: KnativeProbe): HealthProbeInput {
  const { initialDelaySeconds, periodSeconds, timeoutSeconds, failureThreshold, successThreshold } = given;
  const times = { initialDelaySeconds, periodSeconds, timeoutSeconds, failureThreshold, successThreshold };
  return { ...asked(given), ...Object.fromEntries(Object.entries(times).filter(([, value]) => value)) };
}

function asked({ httpGet, exec }: KnativeProbe): Pick<ProbeInput, 'kind' | 'path' | 'headers' | 'command'> {
  if (exec !== undefined) return { kind: 'exec', command: exec.command };
  if (httpGet === undefined) return { kind: 'tcp' };
  const headers = httpGet.httpHeaders ?? [];
  return {
    kind: 'http',
    ...(httpGet.path === undefined || httpGet.path === '' ? {} : { path: httpGet.path }),
    ...(headers.length === 0 ? {} : { headers }),
  };
}

function checkProbe(given: KnativeProbe, containerPort: number | undefined, field: string, errors: FieldError[]): void {
  const { httpGet, tcpSocket, exec } = given;
  if ([httpGet, tcpSocket, exec].filter((handler) => handler !== undefined).length > 1) {
    errors.push({ field, message: 'give one of tcpSocket, httpGet and exec' });
  }
  for (const [kind, port] of [
    ['httpGet', httpGet?.port],
    ['tcpSocket', tcpSocket?.port],
  ] as const) {
    if (port !== undefined && port !== 0 && port !== (containerPort ?? 8080)) {
      errors.push({
        field: `${field}/${kind}/port`,
        message: `only the container’s port (${containerPort ?? 8080}) is probed`,
      });
    }
  }
}

/** What `readProbes` reads back to the same probes, but for the startup probe's times, which annotations hold. */
export function writeProbes(template: {
  readonly startupProbe: Probe;
  readonly readinessProbe?: HealthProbe | undefined;
  readonly livenessProbe?: HealthProbe | undefined;
}): Probed {
  const { startupProbe, readinessProbe, livenessProbe } = template;
  const plain = startupProbe.kind === 'tcp' && readinessProbe === undefined;
  return {
    ...(plain ? {} : { startupProbe: handler(startupProbe) }),
    readinessProbe:
      readinessProbe === undefined ? { tcpSocket: { port: 0 }, successThreshold: 1 } : writeHealth(readinessProbe),
    ...(livenessProbe === undefined ? {} : { livenessProbe: writeHealth(livenessProbe) }),
  };
}

function writeHealth(given: HealthProbe): KnativeProbe {
  const { initialDelaySeconds, periodSeconds, timeoutSeconds, failureThreshold, successThreshold } = given;
  return {
    ...handler(given),
    ...(initialDelaySeconds === 0 ? {} : { initialDelaySeconds }),
    periodSeconds,
    timeoutSeconds,
    failureThreshold,
    successThreshold,
  };
}

function handler({ kind, path, headers, command }: Pick<Probe, 'kind' | 'path' | 'headers' | 'command'>): KnativeProbe {
  if (kind === 'exec') return { exec: { command: command ?? [] } };
  if (kind === 'tcp') return { tcpSocket: { port: 0 } };
  return { httpGet: { path, port: 0, ...(headers === undefined ? {} : { httpHeaders: headers }) } };
}
