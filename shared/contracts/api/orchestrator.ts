import { z } from 'zod';
import { dnsLabel, timestamp } from '../names.ts';
import { gatewayView } from '../resources/gateway-view.ts';
import { logFilter, logLine } from '../resources/logs.ts';
import { decision, metricPoint } from '../resources/metrics.ts';
import { instance } from '../resources/service.ts';
import { instanceStart, startPercentiles } from '../resources/start.ts';
import { revisionObservation } from '../resources/traffic.ts';
import { defineOperation } from './define.ts';
import { gatewayCalls } from './gateway-calls.ts';
import { page, pageQuery } from './paging.ts';

const serviceParams = z.object({ project: dnsLabel, service: dnsLabel });

export const orchestratorOperations = {
  listInstances: defineOperation('listInstances', {
    service: 'orchestrator',
    method: 'get',
    path: '/api/v1/projects/{project}/services/{service}/instances',
    summary: 'Instances that run, newest first; ended ones of the last hour with `all`',
    permission: 'services.read',
    params: serviceParams,
    query: pageQuery.extend({ all: z.stringbool().default(false) }),
    response: page(instance),
    problems: ['resource.not_found'],
  }),
  followLogs: defineOperation('followLogs', {
    service: 'orchestrator',
    method: 'get',
    path: '/api/v1/projects/{project}/services/{service}/logs',
    summary: 'The newest matching log lines as NDJSON, oldest first; `follow` stays connected and goes on',
    permission: 'services.read',
    params: serviceParams,
    query: logFilter.extend({
      follow: z.stringbool().default(false),
      tail: z.coerce.number().int().min(0).max(10_000).default(200),
    }),
    response: logLine,
    problems: ['resource.not_found'],
    streaming: true,
  }),
  searchLogs: defineOperation('searchLogs', {
    service: 'orchestrator',
    method: 'get',
    path: '/api/v1/projects/{project}/services/{service}/logs/search',
    summary:
      'Matching log lines, newest first, in pages. A page may be empty and have a successor: one request looks through a bounded amount',
    permission: 'services.read',
    params: serviceParams,
    query: logFilter.extend(pageQuery.shape),
    response: page(logLine),
    problems: ['resource.not_found'],
  }),
  getMetrics: defineOperation('getMetrics', {
    service: 'orchestrator',
    method: 'get',
    path: '/api/v1/projects/{project}/services/{service}/metrics',
    summary: 'Traffic over time, one point per step',
    permission: 'services.read',
    params: serviceParams,
    query: z.object({ sinceSeconds: z.coerce.number().int().min(10).max(3600).default(900) }),
    response: z.object({ stepMs: z.int(), points: z.array(metricPoint) }),
    problems: ['resource.not_found'],
  }),
  listDecisions: defineOperation('listDecisions', {
    service: 'orchestrator',
    method: 'get',
    path: '/api/v1/projects/{project}/services/{service}/decisions',
    summary: 'Why it scaled, newest first',
    permission: 'services.read',
    params: serviceParams,
    query: pageQuery,
    response: page(decision),
    problems: ['resource.not_found'],
  }),
  listStarts: defineOperation('listStarts', {
    service: 'orchestrator',
    method: 'get',
    path: '/api/v1/projects/{project}/services/{service}/starts',
    summary: 'Starts of instances of the last days, with the time of each phase, newest first',
    permission: 'services.read',
    params: serviceParams,
    query: pageQuery.extend({
      revision: z.string().max(100).optional().describe('name of a revision; all of them otherwise'),
    }),
    response: page(instanceStart),
    problems: ['resource.not_found'],
  }),
  summarizeStarts: defineOperation('summarizeStarts', {
    service: 'orchestrator',
    method: 'get',
    path: '/api/v1/projects/{project}/services/{service}/starts/percentiles',
    summary: 'How long each phase took over the newest starts, by kind of start',
    permission: 'services.read',
    params: serviceParams,
    query: z.object({
      revision: z.string().max(100).optional().describe('name of a revision; all of them otherwise'),
      starts: z.coerce.number().int().min(1).max(1000).default(500).describe('how many of the newest are looked at'),
    }),
    response: z.object({ kinds: z.array(startPercentiles) }),
    problems: ['resource.not_found'],
  }),
  reportTraffic: gatewayCalls.reportTraffic,
  showGateway: gatewayCalls.showGateway,
  listGateways: defineOperation('listGateways', {
    service: 'orchestrator',
    method: 'get',
    path: '/api/v1/gateways',
    summary:
      'What each gateway process of the last minutes is doing: load, busiest services and clients, ejected instances',
    permission: 'admin',
    response: z.object({ items: z.array(gatewayView) }),
  }),
  wakeRevision: gatewayCalls.wakeRevision,
  observeRevisions: defineOperation('observeRevisions', {
    service: 'orchestrator',
    method: 'get',
    path: '/internal/v1/observations',
    summary: 'What gateways counted of each revision of a service since a moment, in whole steps of five seconds',
    permission: 'internal',
    query: serviceParams.extend({ since: timestamp }),
    response: z.object({ revisions: z.array(revisionObservation.extend({ revisionId: z.string() })) }),
  }),
  getObserved: defineOperation('getObserved', {
    service: 'orchestrator',
    method: 'get',
    path: '/internal/v1/observed',
    summary: 'Every instance that is not over, and the verdict on each revision',
    permission: 'internal',
    response: z.object({
      instances: z.array(instance),
      revisions: z.array(
        z.object({
          revisionId: z.string(),
          state: z.enum(['pending', 'ready', 'failed']),
          reason: z.string().optional(),
          message: z.string().optional(),
        }),
      ),
    }),
  }),
  importImage: defineOperation('importImage', {
    service: 'orchestrator',
    method: 'post',
    path: '/internal/v1/images',
    summary: 'Load a validated docker archive into the container engine',
    permission: 'internal',
    rawBody: ['application/x-tar'],
    query: z.object({ reference: z.string(), digest: z.string() }),
    response: z.object({ digest: z.string() }),
    status: 201,
    problems: ['image.import_failed'],
  }),
  removeImage: defineOperation('removeImage', {
    service: 'orchestrator',
    method: 'delete',
    path: '/internal/v1/images',
    summary: 'Remove an image from the container engine',
    permission: 'internal',
    query: z.object({ reference: z.string() }),
  }),
};
