import { z } from 'zod';
import { eventEnvelope } from '../events/envelope.ts';
import { fieldError, problemDetails } from '../problem.ts';
import {
  budget,
  budgetAlert,
  costForecast,
  costLine,
  costReport,
  creditNote,
  invoice,
  ledgerEntry,
} from '../resources/billing.ts';
import { billingJob, priceListText } from '../resources/billing-admin.ts';
import { billingMail } from '../resources/billing-insight.ts';
import { domain } from '../resources/domain.ts';
import { catalogueEntry, eventSchema } from '../resources/event-schema.ts';
import { image } from '../resources/image.ts';
import { logLine } from '../resources/logs.ts';
import { decision, metricPoint, statusClasses } from '../resources/metrics.ts';
import { priceList } from '../resources/price-list.ts';
import { healthProbe, probe } from '../resources/probe.ts';
import { member, project, user } from '../resources/project.ts';
import { registration } from '../resources/registration.ts';
import { scaling } from '../resources/scaling.ts';
import { secret } from '../resources/secret.ts';
import {
  condition,
  instance,
  resources,
  revision,
  revisionTemplate,
  service,
  serviceSpec,
} from '../resources/service.ts';
import { serviceMap } from '../resources/service-map.ts';
import { delivery, pushSubscription } from '../resources/subscription.ts';
import { rollout } from '../resources/traffic.ts';
import { route, routeFrame } from '../routes/snapshot.ts';
import { trafficReport } from '../routes/traffic.ts';
import { dataSchema } from '../team-schema/schema.ts';

/** Schemas that get a name of their own in the generated documents; all others are written in place. */
const NAMED: Readonly<Record<string, z.ZodType>> = {
  Budget: budget,
  BillingJob: billingJob,
  BillingMail: billingMail,
  BudgetAlert: budgetAlert,
  Condition: condition,
  CostForecast: costForecast,
  CostLine: costLine,
  CostReport: costReport,
  CreditNote: creditNote,
  CatalogueEntry: catalogueEntry,
  DataSchema: dataSchema,
  EventSchema: eventSchema,
  ServiceMap: serviceMap,
  Rollout: rollout,
  Secret: secret,
  Domain: domain,
  Decision: decision,
  Delivery: delivery,
  Event: eventEnvelope,
  FieldError: fieldError,
  HealthProbe: healthProbe,
  Image: image,
  Instance: instance,
  Invoice: invoice,
  LedgerEntry: ledgerEntry,
  LogLine: logLine,
  Member: member,
  MetricPoint: metricPoint,
  PriceList: priceList,
  PriceListText: priceListText,
  Probe: probe,
  Problem: problemDetails,
  Project: project,
  PushSubscription: pushSubscription,
  Registration: registration,
  Resources: resources,
  Revision: revision,
  RevisionTemplate: revisionTemplate,
  Route: route,
  RouteFrame: routeFrame,
  Scaling: scaling,
  Service: service,
  ServiceSpec: serviceSpec,
  StatusClasses: statusClasses,
  TrafficReport: trafficReport,
  User: user,
};

export type JsonSchema = Record<string, unknown>;

const PREFIX = '#/components/schemas/';

/**
 * JSON Schemas (2020-12) for a set of zod schemas under their keys, with `$ref`s to shared components.
 * What a client sends (`input`, defaults optional) and what it gets (`output`) differ, so the components of
 * requests carry the suffix `Input`.
 */
export function jsonSchemas(
  wanted: Readonly<Record<string, z.ZodType>>,
  io: 'input' | 'output',
): { byKey: Record<string, JsonSchema>; components: Record<string, JsonSchema> } {
  const suffix = io === 'input' ? 'Input' : '';
  const registry = z.registry<{ id: string }>();
  const names = new Set<string>();
  for (const [name, schema] of Object.entries(NAMED)) {
    registry.add(schema, { id: `${name}${suffix}` });
    names.add(`${name}${suffix}`);
  }
  const aliases = new Map<string, string>();
  for (const [key, schema] of Object.entries(wanted)) {
    const known = registry.get(schema);
    if (known) aliases.set(key, known.id);
    else registry.add(schema, { id: key });
  }
  const { schemas } = z.toJSONSchema(registry, { io, unrepresentable: 'any', uri: (id) => `${PREFIX}${id}` });
  const byKey: Record<string, JsonSchema> = {};
  const components: Record<string, JsonSchema> = {};
  for (const [id, schema] of Object.entries(schemas)) {
    const { $schema: _, $id: __, id: ___, ...body } = schema as JsonSchema;
    if (names.has(id)) components[id] = body;
    else byKey[id] = body;
  }
  for (const [key, id] of aliases) byKey[key] = byKey[id] ?? { $ref: `${PREFIX}${id}` };
  return { byKey, components: keepReferenced(components, byKey) };
}

/** Only the components that something refers to, directly or through another one. */
function keepReferenced(components: Record<string, JsonSchema>, roots: unknown): Record<string, JsonSchema> {
  const kept: Record<string, JsonSchema> = {};
  const visit = (value: unknown) => {
    for (const [, name = ''] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      const schema = components[name];
      if (!schema || kept[name]) continue;
      kept[name] = schema;
      visit(schema);
    }
  };
  visit(roots);
  return Object.fromEntries(Object.entries(kept).sort(([a], [b]) => (a < b ? -1 : 1)));
}
