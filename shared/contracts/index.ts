export {
  type AccessClaims,
  accessClaims,
  isProjectPermission,
  PERMISSIONS,
  type Permission,
  type ProjectPermission,
  ROLE_PERMISSIONS,
  type Role,
  role,
  TOKEN_AUDIENCE,
  TOKEN_ISSUER,
} from './access.ts';
export { apiKeyOperations } from './api/api-keys.ts';
export { billingOperations } from './api/billing.ts';
export { defineOperation } from './api/define.ts';
export { domainOperations } from './api/domains.ts';
export {
  eventOperations,
  type FeedAnswer,
  type FeedSubscription,
  feedAnswer,
  feedSubscription,
} from './api/events.ts';
export { gatewayCalls } from './api/gateway-calls.ts';
export { gatewayRouteOperations } from './api/gateway-routes.ts';
export {
  identityOperations,
  type Tokens,
} from './api/identity.ts';
export { LIVE_FEED } from './api/live-feed.ts';
export {
  type Method,
  type Operation,
  PLATFORM_SERVICES,
  type PlatformService,
} from './api/operation.ts';
export {
  ALL_OPERATIONS,
  OPERATIONS,
} from './api/operations.ts';
export { orchestratorOperations } from './api/orchestrator.ts';
export {
  page,
  pageQuery,
} from './api/paging.ts';
export { registrationOperations } from './api/registrations.ts';
export {
  ARCHIVE_MEDIA_TYPES,
  registryOperations,
} from './api/registry.ts';
export { secretOperations } from './api/secrets.ts';
export { subscriptionOperations } from './api/subscriptions.ts';
export { teamEventOperations } from './api/team-events.ts';
export { asyncApiDocument } from './documents/asyncapi.ts';
export { openApiDocument } from './documents/openapi.ts';
export {
  type JsonSchema,
  jsonSchemas,
} from './documents/schemas.ts';
export { busySpan, type UsageRecorded, usageRecorded } from './events/billing.ts';
export type { ObservedCalls } from './events/calls.ts';
export { EVENT_TYPES, EVENTS, type EventData, type EventType, isEventType } from './events/catalogue.ts';
export type { EventDefinition } from './events/define.ts';
export {
  type EventEnvelope,
  eventEnvelope,
} from './events/envelope.ts';
export {
  type AnyEvent,
  type EventDraft,
  type EventProblem,
  expandTypes,
  InvalidEventError,
  isEvent,
  matchesType,
  type PlatformEvent,
  parseEvent,
  type SkyrunEvent,
  type TeamEvent,
  type TeamEventDraft,
  type TypeSet,
  typeSet,
} from './events/event.ts';
export { type Flow, type FlowObserved, flowObserved } from './events/flow.ts';
export { PLATFORM_GROUPS } from './events/groups.ts';
export { type InstanceSample, instanceSample } from './events/orchestrator.ts';
export { isTeamPattern, isTeamType, parseTeamType, TEAM_TYPE, type TeamEventType } from './events/team-type.ts';
export { passesFilter } from './filter/evaluate.ts';
export { type Expression, parseFilter } from './filter/parse.ts';
export {
  ID_PREFIXES,
  type IdKind,
  type IdSource,
  idSchema,
  makeId,
  uuidV7,
} from './ids.ts';
export {
  ANNOTATION_RULES,
  type AnnotationRule,
  type Patch,
} from './knative/annotations.ts';
export { KNATIVE_GROUP, KNATIVE_VERSION, KUBERNETES_API } from './knative/api.ts';
export {
  type NamedServiceSpec,
  toServiceSpec,
} from './knative/from-knative.ts';
export {
  annotations as kubernetesAnnotations,
  labels as kubernetesLabels,
} from './knative/metadata.ts';
export {
  formatCpu,
  formatDuration,
  formatMemory,
  parseCpu,
  parseDuration,
  parseMemory,
} from './knative/quantity.ts';
export {
  type KnativeProbe,
  type KnativeService,
  knativeService,
  UNSUPPORTED,
} from './knative/schema.ts';
export { isServiceAnnotation } from './knative/service-annotations.ts';
export { keepUnsaid, toKnative, toKnativeSpec, toKnativeTemplate } from './knative/to-knative.ts';
export {
  currency,
  formatMoney,
  moneyString,
  PICO_PER_UNIT,
  parseMoney,
  roundHalfEven,
} from './money.ts';
export {
  digest,
  dnsLabel,
  imageName,
  imageTag,
  timestamp,
} from './names.ts';
export {
  type FieldError,
  fieldError,
  fieldErrors,
  isProblemCode,
  PROBLEMS,
  Problem,
  type ProblemCode,
  type ProblemDetails,
  type ProblemOptions,
  problemDetails,
} from './problem.ts';
export {
  API_KEY,
  type ApiKey,
  type ApiKeyRole,
  apiKey,
  apiKeyRole,
  type NewApiKey,
  newApiKey,
} from './resources/api-key.ts';
export {
  type Budget,
  type BudgetAlert,
  type BudgetSpec,
  budget,
  budgetAlert,
  budgetSpec,
  COST_GROUPS,
  type CostAnalysis,
  type CostForecast,
  type CostLine,
  type CostReport,
  type CreditNote,
  costAnalysis,
  costForecast,
  costLine,
  costReport,
  creditNote,
  type Invoice,
  type InvoiceVerification,
  invoice,
  invoiceVerification,
  LEDGER_ACCOUNTS,
  type LedgerAccount,
  type LedgerEntry,
  type LedgerReport,
  ledgerAccount,
  ledgerEntry,
  ledgerReport,
} from './resources/billing.ts';
export {
  type AccountPriceList,
  type AccountPriceListChange,
  BILLING_JOB_STATES,
  type BillingJob,
  type BillingJobs,
} from './resources/billing-admin.ts';
export {
  type BillingAdvice,
  type BillingContacts,
  type BillingMail,
  NOTICE_TYPES,
  type RightSizing,
} from './resources/billing-insight.ts';
export {
  CHALLENGE_LABEL,
  type Domain,
  type DomainProof,
  type DomainReason,
  type DomainState,
  domain,
  domainName,
  domainProof,
} from './resources/domain.ts';
export {
  type CatalogueEntry,
  catalogueEntry,
  type EventConsumer,
  type EventSchema,
  eventSchema,
} from './resources/event-schema.ts';
export { type GatewayRoute, gatewayRoute, type PolicyMark, policyMark } from './resources/gateway-route.ts';
export {
  type GatewayView,
  gatewayView,
  VIEW_CLIENTS,
  VIEW_EJECTED,
  VIEW_INVALID_ROUTES,
  VIEW_SERVICES,
} from './resources/gateway-view.ts';
export {
  ENGINE_REFERENCE_HOST,
  engineReference,
  type Image,
  image,
  platform,
  type UploadProgress,
  uploadProgress,
} from './resources/image.ts';
export {
  LOG_SEVERITIES,
  type LogFilter,
  type LogLine,
  type LogSeverity,
  logFilter,
  logLine,
} from './resources/logs.ts';
export { BILLED_TICK_MS, METER_UNITS, type Meter, meter } from './resources/meter.ts';
export {
  type Decision,
  decision,
  LATENCY_BOUNDS_MS,
  latencyQuantile,
  type MetricPoint,
  type MetricWant,
  metricPoint,
  metricWant,
  type StatusClasses,
  statusClasses,
} from './resources/metrics.ts';
export {
  type Cors,
  cors,
  type RateLimit,
  rateLimit,
  type ServicePolicy,
  servicePolicy,
} from './resources/policy.ts';
export { type PublicPriceList, priceList, type UnitPrices } from './resources/price-list.ts';
export {
  type HealthProbe,
  healthProbe,
  type Probe,
  probe,
} from './resources/probe.ts';
export {
  type Member,
  member,
  type Project,
  project,
  type User,
  user,
} from './resources/project.ts';
export { type Registration, registration } from './resources/registration.ts';
export {
  type IdleLadder,
  idleLadder,
  type ScaleSchedule,
  type ScaleTarget,
  type Scaling,
  scaleSchedule,
  scaleTarget,
  scaling,
} from './resources/scaling.ts';
export {
  MAX_SECRET_CHARACTERS,
  type Secret,
  type SecretKeyRef,
  secret,
  secretKeyRef,
  secretValue,
} from './resources/secret.ts';
export {
  type Condition,
  condition,
  type EnvironmentVariable,
  environmentVariable,
  type Instance,
  instance,
  instanceState,
  RESERVED_ENVIRONMENT,
  type Revision,
  type RevisionTemplate,
  resources,
  revision,
  revisionTemplate,
  type Service,
  type ServiceSpec,
  service,
  serviceSpec,
} from './resources/service.ts';
export { type MapEdge, type MapNode, type ServiceMap, serviceMap } from './resources/service-map.ts';
export {
  type InstanceStart,
  instanceStart,
  phaseMs,
  START_PHASES,
  type StartKind,
  type StartPercentiles,
  type StartPhase,
  type StartPhases,
  startTotalMs,
} from './resources/start.ts';
export {
  type Delivery,
  type DeliveryAttempt,
  delivery,
  type PushFilter,
  type PushSubscription,
  pushFilter,
  pushSubscription,
} from './resources/subscription.ts';
export {
  type CanaryPolicy,
  canaryPolicy,
  MAX_TAG_HOST,
  type RevisionObservation,
  type Rollout,
  type RolloutDecision,
  type RolloutPolicy,
  revisionObservation,
  rollout,
  rolloutDecision,
  rolloutPolicy,
  rolloutState,
  type TrafficStatus,
  type TrafficTarget,
  trafficStatus,
  trafficTarget,
  trafficTargets,
} from './resources/traffic.ts';
export {
  type DesiredState,
  desiredState,
} from './routes/desired.ts';
export {
  FEED_HEARTBEAT_MS,
  frameParts,
  type Route,
  type RouteFrame,
  type RouteInstance,
  type RouteTarget,
  route,
  routeFrame,
  routeInstance,
  routeTarget,
  type UnreadRouteFrame,
  unreadRouteFrame,
} from './routes/snapshot.ts';
export { type TeamRoute, teamRoute } from './routes/team.ts';
export {
  type TrafficReport,
  trafficReport,
} from './routes/traffic.ts';
export { type Compatibility, incompatibilities } from './team-schema/compatible.ts';
export { closed, type DataSchema, dataSchema, type SchemaIssue, schemaIssues } from './team-schema/schema.ts';
export { typeScriptOf } from './team-schema/typescript.ts';
export { dataIssues } from './team-schema/validate.ts';
