import { OPERATIONS } from '@skyrun/contracts';
import { type Api, currentTraceparent } from '@skyrun/kit';
import type { Catalogue } from './catalogue.ts';
import type { createPublish } from './publish.ts';
import type { Schemas } from './schemas.ts';

export interface SchemaRoutes {
  readonly schemas: Schemas;
  readonly catalogue: Catalogue;
  readonly publish: ReturnType<typeof createPublish>;
  /** @throws Problem `platform.unavailable` */
  readonly requireStarted: () => void;
}

export function bindSchemas(api: Api, { schemas, catalogue, publish, requireStarted }: SchemaRoutes): void {
  api.handle(OPERATIONS.registerEventSchema, ({ params, body, caller }) => {
    requireStarted();
    return schemas.register(params.project, params.type, body, caller?.email || caller?.userId || 'platform');
  });
  api.handle(OPERATIONS.checkEventSchema, ({ params, body }) => {
    requireStarted();
    return schemas.check(params.project, params.type, body);
  });
  api.handle(OPERATIONS.listEventSchemas, ({ params, query }) => {
    requireStarted();
    return schemas.list(params.project, query);
  });
  api.handle(OPERATIONS.getEventSchema, ({ params, query }) => {
    requireStarted();
    return schemas.get(params.project, params.type, query.version);
  });
  api.handle(OPERATIONS.listEventSchemaVersions, async ({ params }) => {
    requireStarted();
    return { items: await schemas.versions(params.project, params.type) };
  });
  api.handle(OPERATIONS.publishEvents, async ({ params, body }) => {
    requireStarted();
    const traceparent = currentTraceparent();
    const events = body.events.map((event) => ({ ...event, traceparent: event.traceparent ?? traceparent }));
    return { items: await publish(params.project, events) };
  });
  api.handle(OPERATIONS.getCatalogue, async ({ params }) => {
    requireStarted();
    return { items: await catalogue.entries(params.project) };
  });
  api.handle(OPERATIONS.getAsyncApi, ({ params }) => {
    requireStarted();
    return catalogue.asyncApi(params.project);
  });
}
