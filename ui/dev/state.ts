import { randomBytes } from 'node:crypto';
import {
  type AnyEvent,
  type CostReport,
  type EventData,
  type EventType,
  formatMoney,
  type IdKind,
  type Image,
  type Instance,
  type Invoice,
  latencyQuantile,
  type MetricPoint,
  makeId,
  type Project,
  parseEvent,
  parseMoney,
  type Revision,
  type Service,
  type ServiceSpec,
  serviceSpec,
} from '@skyrun/contracts';

export const id = (kind: IdKind): string => makeId(kind, { now: Date.now(), random: randomBytes(10) });
export const iso = (ms: number): string => new Date(ms).toISOString();
const DIGEST = `sha256:${'7c9e2f41d0ab'.padEnd(64, 'e4')}`;

interface Running {
  service: Service;
  revisions: Revision[];
  instances: Instance[];
  points: MetricPoint[];
  decisions: {
    at: string;
    revisionId: string;
    revisionName: string;
    from: number;
    to: number;
    sentence: string;
    inputs: Record<string, number>;
  }[];
  /** Requests per second at `now`. */
  load: (now: number) => number;
}

/** What the fixture knows; it lives as long as the dev server. */
export class FakeState {
  readonly projects: Project[] = [];
  readonly images: Image[] = [];
  readonly events: AnyEvent[] = [];
  readonly invoices: Invoice[] = [];
  readonly running = new Map<string, Running>();
  readonly listeners = new Set<(event: AnyEvent) => void>();
  periodStart = Date.now() - 3 * 86_400_000;
  cpuMs = 4_812_000n;
  requests = 41_288n;
  #sequence = 0;

  constructor() {
    this.addProject('demo');
    this.addProject('empty');
    this.addImage('demo', 'hello', 'latest', 11_534_336);
    this.addImage('demo', 'team/checkout', 'v12', 84_410_368);
    this.create('demo', 'hello', { minScale: 0, maxScale: 10 }, (now) => Math.max(0, 40 * Math.sin(now / 40_000)) + 6);
    this.create('demo', 'checkout', { minScale: 2, maxScale: 20 }, (now) => 25 + 6 * Math.sin(now / 15_000));
    this.create('demo', 'thumbnails', { minScale: 0, maxScale: 4 }, () => 0);
    const broken = this.create('demo', 'broken-report', { minScale: 0, maxScale: 4 }, () => 0);
    this.fail(broken, 'ExitedWith1', 'The container exited with code 1 before it answered on port 8080');
    for (let ago = 900; ago > 0; ago -= 1)
      for (const one of this.running.values()) this.observe(one, Date.now() - ago * 1000);
  }

  addProject(name: string): Project {
    const project: Project = { id: id('project'), name, displayName: name, role: 'owner', createdAt: iso(Date.now()) };
    this.projects.push(project);
    return project;
  }

  addImage(project: string, name: string, tag: string, sizeBytes: number): Image {
    const image: Image = {
      id: id('image'),
      project,
      name,
      tag,
      digest: DIGEST,
      sizeBytes,
      layers: 4,
      platform: { os: 'linux', architecture: 'amd64' },
      exposedPorts: [3000],
      user: '',
      createdAt: iso(Date.now() - 3_600_000),
    };
    this.images.unshift(image);
    return image;
  }

  create(
    project: string,
    name: string,
    scaling: { minScale: number; maxScale: number },
    load: Running['load'],
  ): Running {
    const spec = serviceSpec.parse({ template: { image: `${name}:latest`, scaling } });
    const one = this.createFrom(project, name, spec, load);
    this.becomeReady(one);
    return one;
  }

  createFrom(project: string, name: string, spec: ServiceSpec, load: Running['load']): Running {
    const at = iso(Date.now());
    const unknown = { status: 'Unknown' as const, lastTransitionTime: at };
    const service: Service = {
      id: id('service'),
      project,
      name,
      generation: 0,
      spec,
      status: {
        url: `http://${name}.${project}.localhost:8080`,
        observedGeneration: 0,
        conditions: [
          { type: 'Ready', ...unknown },
          { type: 'ConfigurationsReady', ...unknown },
          { type: 'RoutesReady', ...unknown },
        ],
        traffic: [],
        instances: { ready: 0, starting: 0, draining: 0 },
      },
      createdAt: at,
      updatedAt: at,
    };
    const one: Running = { service, revisions: [], instances: [], points: [], decisions: [], load };
    this.running.set(`${project}/${name}`, one);
    this.revise(one, spec);
    return one;
  }

  revise(one: Running, spec: ServiceSpec): void {
    const { service } = one;
    service.spec = spec;
    service.generation += 1;
    service.updatedAt = iso(Date.now());
    const number = service.generation;
    const name = `${service.name}-${String(number).padStart(5, '0')}`;
    one.revisions.unshift({
      id: id('revision'),
      name,
      project: service.project,
      serviceId: service.id,
      service: service.name,
      number,
      imageDigest: DIGEST,
      imageReference: `skyrun.local/${service.project}/${service.name}:7c9e2f41d0ab`,
      template: spec.template,
      conditions: [{ type: 'Ready', status: 'Unknown', lastTransitionTime: iso(Date.now()) }],
      createdAt: iso(Date.now()),
    });
    service.status.latestCreatedRevision = name;
    this.emit(service.project, 'skyrun.revision.created.v1', `services/${service.project}/${service.name}`, {
      ...this.ref(one),
      number,
      imageDigest: DIGEST,
    });
  }

  becomeReady(one: Running): void {
    const { service } = one;
    const [revision] = one.revisions;
    const lastTransitionTime = iso(Date.now());
    service.status.observedGeneration = service.generation;
    service.status.conditions = service.status.conditions.map(({ type }) => ({
      type,
      status: 'True',
      lastTransitionTime,
    }));
    if (revision === undefined) return;
    revision.conditions = [{ type: 'Ready', status: 'True', lastTransitionTime }];
    service.status.latestReadyRevision = revision.name;
    service.status.traffic = [{ revisionName: revision.name, percent: 100 }];
    this.emit(service.project, 'skyrun.revision.ready.v1', `revisions/${revision.id}`, this.ref(one));
  }

  fail(one: Running, reason: string, message: string): void {
    const lastTransitionTime = iso(Date.now());
    one.service.status.conditions = [
      { type: 'Ready', status: 'False', reason, message, lastTransitionTime },
      { type: 'ConfigurationsReady', status: 'False', reason, message, lastTransitionTime },
      { type: 'RoutesReady', status: 'Unknown', lastTransitionTime },
    ];
    const [revision] = one.revisions;
    if (revision === undefined) return;
    revision.conditions = [{ type: 'Ready', status: 'False', reason, message, lastTransitionTime }];
    const subject = `revisions/${revision.id}`;
    this.emit(one.service.project, 'skyrun.revision.failed.v1', subject, { ...this.ref(one), reason, message });
  }

  ref({ service, revisions }: Running) {
    const [revision] = revisions;
    return {
      project: service.project,
      service: service.name,
      serviceId: service.id,
      revisionId: revision?.id ?? '',
      revisionName: revision?.name ?? '',
    };
  }

  tick(now: number): void {
    for (const one of this.running.values()) {
      this.scale(one, now);
      const point = this.observe(one, now);
      const { project, service, serviceId } = this.ref(one);
      const { at: _at, ...observed } = point;
      const data = { project, service, serviceId, ...observed };
      this.emit(project, 'skyrun.traffic.observed.v1', `services/${project}/${service}`, data, true);
    }
    this.requests += 31n;
    this.cpuMs += 3100n;
    const { exactTotal, services } = this.costs('demo');
    const data = { project: 'demo', currency: 'USD', exactTotal, services };
    this.emit('demo', 'skyrun.cost.updated.v1', 'projects/demo', data, true);
  }

  observe(one: Running, now: number): MetricPoint {
    const rps = one.load(now);
    const ready = one.instances.filter(({ state }) => state === 'ready').length;
    const starting = one.instances.filter(({ state }) => state === 'starting').length;
    const buckets = [0, 1, 4, 9, 20, 30, 18, 9, 5, 2, Math.random() * 2, Math.random()];
    const quantile = (share: number) =>
      rps === 0 ? null : (latencyQuantile(buckets, share) ?? 0) * (0.9 + Math.random() / 5);
    const point: MetricPoint = {
      at: iso(now),
      windowMs: 1000,
      requestsPerSecond: rps * (0.94 + Math.random() * 0.12),
      concurrency: rps / 9,
      queued: starting > 0 && ready === 0 ? 3 : 0,
      statusClasses: { '1xx': 0, '2xx': Math.round(rps), '3xx': 0, '4xx': 0, '5xx': Math.random() > 0.97 ? 1 : 0 },
      p50Ms: quantile(0.5),
      p95Ms: quantile(0.95),
      p99Ms: quantile(0.99),
      instances: { ready: ready || Math.min(10, Math.ceil(rps / 8)), starting },
    };
    one.points.push(point);
    one.points.splice(0, Math.max(0, one.points.length - 3600));
    return point;
  }

  scale(one: Running, now: number): void {
    const { service, instances } = one;
    const { minScale, maxScale } = service.spec.template.scaling;
    for (const instance of instances) {
      const age = now - Date.parse(instance.createdAt);
      if (instance.state === 'starting' && age > 1500) this.move(one, instance, 'ready', 'skyrun.instance.ready.v1');
      if (instance.state === 'draining' && Math.random() > 0.6)
        this.move(one, instance, 'stopped', 'skyrun.instance.stopped.v1');
    }
    if (service.status.latestReadyRevision === undefined) return;
    const wanted = Math.min(maxScale, Math.max(minScale, Math.ceil(one.load(now) / 8)));
    const live = instances.filter(({ state }) => state === 'ready' || state === 'starting');
    if (wanted !== live.length) this.decide(one, live.length, wanted, now);
    for (let missing = wanted - live.length; missing > 0; missing -= 1) this.start(one, now);
    for (const extra of live.slice(wanted)) this.move(one, extra, 'draining', 'skyrun.instance.draining.v1');
    const count = (state: string) => instances.filter((instance) => instance.state === state).length;
    service.status.instances = { ready: count('ready'), starting: count('starting'), draining: count('draining') };
  }

  decide(one: Running, from: number, to: number, now: number): void {
    const ref = this.ref(one);
    const concurrency = one.load(now) / 9;
    const decision = {
      at: iso(now),
      revisionId: ref.revisionId,
      revisionName: ref.revisionName,
      from,
      to,
      sentence: `${from} → ${to}: concurrency ${concurrency.toFixed(1)} of target 0.9 per instance, stable window 60 s`,
      inputs: { stableConcurrency: concurrency, panicConcurrency: concurrency * 1.2, target: 0.9, ready: from },
    };
    one.decisions.unshift(decision);
    this.emit(ref.project, 'skyrun.scaling.decided.v1', `revisions/${ref.revisionId}`, { ...ref, decision });
  }

  start(one: Running, now: number): void {
    const { project, service, serviceId, revisionId, revisionName } = this.ref(one);
    const instance: Instance = {
      id: id('instance'),
      project,
      service,
      serviceId,
      revisionId,
      revisionName,
      state: 'starting',
      node: 'local',
      createdAt: iso(now),
    };
    one.instances.unshift(instance);
    this.emit(project, 'skyrun.instance.started.v1', `instances/${instance.id}`, { ...instance });
  }

  move(one: Running, instance: Instance, state: Instance['state'], type: EventType): void {
    instance.state = state;
    if (state === 'ready') {
      instance.readyAt = iso(Date.now());
      instance.startPhases = { createMs: 84, startMs: 190, probeMs: 61 };
    }
    if (state === 'stopped') {
      instance.endedAt = iso(Date.now());
      instance.reason = 'ScaledDown';
    }
    this.emit(one.service.project, type, `instances/${instance.id}`, { ...instance });
  }

  costs(project: string): CostReport {
    const cpu = parseMoney('0.000024') * (this.cpuMs / 1000n);
    const requests = parseMoney('0.0000004') * this.requests;
    const total = project === 'demo' ? cpu + requests : 0n;
    const exact = formatMoney(total);
    const cents = formatMoney((total / 10_000_000_000n) * 10_000_000_000n);
    const line = { service: 'hello', unitPrice: '0.000024', pricedUnit: 'vCPU-second' };
    return {
      project,
      currency: 'USD',
      periodStart: iso(this.periodStart),
      usageUntil: project === 'demo' ? iso(Date.now() - 2000) : null,
      computedAt: iso(Date.now()),
      priceList: 'cloud-run-tier-1@2026-01-01',
      services:
        project === 'demo'
          ? [{ service: 'hello', amount: cents, exactAmount: exact, requests: String(this.requests) }]
          : [],
      lines:
        project === 'demo'
          ? [
              {
                ...line,
                meter: 'cpu',
                description: 'CPU while requests run',
                quantity: String(this.cpuMs * 1000n),
                unit: 'mvcpu_ms',
                amount: formatMoney(cpu),
              },
              {
                ...line,
                meter: 'requests',
                description: 'Requests',
                quantity: String(this.requests),
                unit: 'requests',
                unitPrice: '0.4',
                pricedUnit: 'million requests',
                amount: formatMoney(requests),
              },
            ]
          : [],
      credits: project === 'demo' ? [{ description: 'Free tier', amount: '-0.03' }] : [],
      subtotal: cents,
      total: formatMoney(((total - 30_000_000_000n) / 10_000_000_000n) * 10_000_000_000n),
      exactTotal: formatMoney(total - 30_000_000_000n),
      exactSubtotal: exact,
    };
  }

  close(project: string): Invoice {
    const { lines, credits, subtotal, total, currency, priceList, periodStart } = this.costs(project);
    const now = iso(Date.now());
    const number = `INV-2026-${String(this.invoices.length + 1).padStart(4, '0')}`;
    const invoice: Invoice = {
      id: id('invoice'),
      number,
      project,
      state: 'open',
      currency,
      periodStart,
      periodEnd: now,
      priceList,
      lines: lines.map((line) => ({ ...line, usageRows: 118 })),
      credits,
      subtotal,
      total,
      createdAt: now,
    };
    this.invoices.unshift(invoice);
    this.periodStart = Date.now();
    this.cpuMs = 0n;
    this.requests = 0n;
    const { id: invoiceId, periodEnd } = invoice;
    this.emit(project, 'skyrun.invoice.closed.v1', `projects/${project}`, {
      id: invoiceId,
      number,
      project,
      total,
      currency,
      periodStart,
      periodEnd,
    });
    return invoice;
  }

  emit<Type extends EventType>(
    project: string,
    type: Type,
    subject: string,
    data: EventData<Type> | object,
    ephemeral = false,
  ): void {
    this.#sequence += 1;
    const event = parseEvent({
      specversion: '1.0',
      id: id('event'),
      source: '/skyrun/fixture',
      type,
      subject,
      time: iso(Date.now()),
      datacontenttype: 'application/json',
      project,
      sequence: this.#sequence,
      data,
    });
    if (!ephemeral) this.events.unshift(event);
    for (const listener of this.listeners) listener(event);
  }
}
