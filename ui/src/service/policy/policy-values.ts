import { type RateLimit, type ServicePolicy, servicePolicy } from '@skyrun/contracts';

export interface LimitRow {
  readonly key: string;
  readonly name: string;
  readonly per: RateLimit['per'];
  readonly requests: string;
  readonly windowSeconds: string;
  readonly pathPrefix: string;
  /** What the row does not show, such as a burst, stays. */
  readonly rest: Partial<RateLimit>;
}

/** A policy as a form holds it: text, one address or origin per line; empty text is "not set". */
export interface PolicyValues {
  readonly invoker: ServicePolicy['invoker'];
  readonly allow: string;
  readonly deny: string;
  readonly limits: readonly LimitRow[];
  readonly origins: string;
  readonly credentials: boolean;
  readonly maintenance: boolean;
  readonly maintenanceMessage: string;
  readonly maxRequestBytes: string;
  readonly firstByteTimeoutMs: string;
  readonly idleTimeoutMs: string;
  readonly failurePercent: string;
  readonly slowerThanMs: string;
  readonly slowStartMs: string;
  readonly waitingPage: boolean;
  readonly showCost: boolean;
  readonly pipelining: boolean;
  readonly pipelineDepth: string;
  readonly heldUpMs: string;
}

const DEFAULT = servicePolicy.parse({});
const PIPELINING = { depth: 8, heldUpMs: 50 };
const MAINTENANCE = 'We are back soon.';

const optional = (number: number | undefined): string => (number === undefined ? '' : String(number));
const lines = (text: string): string[] =>
  text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
/** Text that is no number becomes NaN, which the schema refuses by name. */
const number = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));

export function policyValues(policy: ServicePolicy = DEFAULT): PolicyValues {
  const { cors, maintenance, breaker, pipelining } = policy;
  return {
    invoker: policy.invoker,
    allow: policy.allow.join('\n'),
    deny: policy.deny.join('\n'),
    limits: policy.rateLimits.map(({ name, per, requests, windowSeconds, pathPrefix, ...rest }, index) => ({
      key: `given-${index}`,
      name,
      per,
      requests: String(requests),
      windowSeconds: String(windowSeconds),
      pathPrefix: pathPrefix ?? '',
      rest,
    })),
    origins: cors?.origins.join('\n') ?? '',
    credentials: cors?.credentials ?? false,
    maintenance: maintenance !== undefined,
    maintenanceMessage: maintenance?.message ?? MAINTENANCE,
    maxRequestBytes: optional(policy.maxRequestBytes),
    firstByteTimeoutMs: optional(policy.firstByteTimeoutMs),
    idleTimeoutMs: optional(policy.idleTimeoutMs),
    failurePercent: breaker?.failureRatio === undefined ? '' : String(Math.round(breaker.failureRatio * 10_000) / 100),
    slowerThanMs: optional(breaker?.slowerThanMs),
    slowStartMs: policy.slowStartMs === 0 ? '' : String(policy.slowStartMs),
    waitingPage: policy.waitingPage,
    showCost: policy.showCost === true,
    pipelining: pipelining !== undefined,
    pipelineDepth: String(pipelining?.depth ?? PIPELINING.depth),
    heldUpMs: String(pipelining?.heldUpMs ?? PIPELINING.heldUpMs),
  };
}

/** The values over a policy: what the form does not show stays as it was. */
export function policyOf(values: PolicyValues, base: ServicePolicy = DEFAULT): ServicePolicy {
  const { cors, maintenance: _maintenance, maxRequestBytes: _bytes, breaker, ...kept } = base;
  const { firstByteTimeoutMs: _first, idleTimeoutMs: _idle, showCost: _cost, pipelining: _shared, ...rest } = kept;
  const origins = lines(values.origins);
  const { failureRatio: _ratio, slowerThanMs: _slower, ...breakerRest } = breaker ?? { minRequests: 20 };
  const breaks = values.failurePercent.trim() !== '' || values.slowerThanMs.trim() !== '';
  return {
    ...rest,
    invoker: values.invoker,
    allow: lines(values.allow),
    deny: lines(values.deny),
    rateLimits: values.limits.map((row) => ({
      ...row.rest,
      name: row.name.trim(),
      per: row.per,
      requests: number(row.requests),
      windowSeconds: number(row.windowSeconds),
      ...(row.pathPrefix.trim() === '' ? {} : { pathPrefix: row.pathPrefix.trim() }),
    })),
    ...(origins.length === 0 ? {} : { cors: { ...(cors ?? CORS), origins, credentials: values.credentials } }),
    ...(values.maintenance ? { maintenance: { message: values.maintenanceMessage.trim() } } : {}),
    ...given('maxRequestBytes', values.maxRequestBytes),
    ...given('firstByteTimeoutMs', values.firstByteTimeoutMs),
    ...given('idleTimeoutMs', values.idleTimeoutMs),
    ...(breaks
      ? {
          breaker: {
            ...breakerRest,
            ...(values.failurePercent.trim() === '' ? {} : { failureRatio: number(values.failurePercent) / 100 }),
            ...given('slowerThanMs', values.slowerThanMs),
          },
        }
      : {}),
    slowStartMs: values.slowStartMs.trim() === '' ? 0 : number(values.slowStartMs),
    waitingPage: values.waitingPage,
    ...(values.showCost ? { showCost: true } : {}),
    ...(values.pipelining
      ? { pipelining: { depth: number(values.pipelineDepth), heldUpMs: number(values.heldUpMs) } }
      : {}),
  };
}

const CORS = { methods: ['GET', 'HEAD', 'POST'], headers: [], exposed: [], maxAgeSeconds: 600 };

function given<Name extends string>(name: Name, text: string): { [Key in Name]?: number } {
  return (text.trim() === '' ? {} : { [name]: number(text) }) as { [Key in Name]?: number };
}

/** A new limit's row, with a name that no other has. */
export function newLimit(key: string, taken: readonly LimitRow[]): LimitRow {
  const names = new Set(taken.map(({ name }) => name));
  let name = 'default';
  for (let index = 2; names.has(name); index += 1) name = `limit-${index}`;
  return { key, name, per: 'address', requests: '100', windowSeconds: '60', pathPrefix: '', rest: {} };
}
