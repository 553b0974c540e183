import { OPERATIONS, Problem } from '@skyrun/contracts';
import { type Api, createApi, emptyReply, HANDLED, type Logger, reply, toProblem } from '@skyrun/kit';
import { readDesired } from './desired/read-desired.ts';
import type { Lookup } from './domains/lookup.ts';
import { bindDomains } from './domains/routes.ts';
import { createRouteListing } from './feed/list-routes.ts';
import type { RouteBook } from './feed/route-book.ts';
import { deleteImage } from './images/delete-image.ts';
import { type UploadDeps, uploadImage } from './images/upload-image.ts';
import { bodyOf, discardRest, progressLines } from './images/upload-response.ts';
import type { UploadSlots } from './images/upload-slots.ts';
import { readPage } from './paging.ts';
import { bindSecrets } from './secrets/routes.ts';
import type { Vault } from './secrets/vault.ts';
import { createService } from './services/create-service.ts';
import { deleteService } from './services/delete-service.ts';
import { replaceService } from './services/replace-service.ts';
import { etagOf, toRevision, toRollout, toService } from './services/views.ts';
import { findImage, listImages, toImage } from './store/images.ts';
import { listRollouts } from './store/rollouts.ts';
import {
  completeService,
  completeServices,
  findRevision,
  findService,
  listRevisions,
  listServices,
} from './store/services.ts';
import type { ServiceRow, Store, Tables } from './store/tables.ts';
import type { TrafficDeps } from './traffic/settle-traffic.ts';
import { rollBack, updateTraffic } from './traffic/update-traffic.ts';
import { atOneMoment } from './use-case.ts';

export interface RoutesDeps extends UploadDeps, TrafficDeps {
  readonly lookup: Lookup;
  readonly vault: Vault;
  readonly retainedRevisions: number;
  /** Most domains that a project may have. */
  readonly projectDomains: number;
  readonly book: RouteBook;
  readonly slots: UploadSlots;
  readonly uploadIdleMs: number;
  readonly logger: Logger;
}

/** Binds the registry's operations to its use cases. */
export function createRoutes(deps: RoutesDeps): Api {
  const api = createApi();
  bindServices(api, deps);
  bindImages(api, deps);
  bindSecrets(api, deps);
  bindDomains(api, deps);
  bindInternal(api, deps);
  return api;
}

function bindServices(api: Api, deps: RoutesDeps): void {
  const { db, address } = deps;
  const store = () => db.kysely<Tables>();

  api.handle(OPERATIONS.createService, async ({ params, body, caller, headers }) => {
    const service = await createService(
      {
        project: params.project,
        ...body,
        caller: caller?.userId ?? '',
        idempotencyKey: header(headers['idempotency-key']),
        traceparent: header(headers['traceparent']),
      },
      deps,
    );
    const location = `/api/v1/projects/${service.project}/services/${service.name}`;
    return reply(service, { headers: { etag: etagOf(service), location } });
  });

  api.handle(OPERATIONS.replaceService, async ({ params, body, headers }) => {
    const service = await replaceService(
      {
        project: params.project,
        name: params.service,
        spec: body.spec,
        ifMatch: headers['if-match'],
        traceparent: header(headers['traceparent']),
      },
      deps,
    );
    return reply(service, { headers: { etag: etagOf(service) } });
  });

  api.handle(OPERATIONS.updateTraffic, async ({ params, body, headers }) => {
    const service = await updateTraffic(
      {
        project: params.project,
        name: params.service,
        traffic: body.traffic,
        ifMatch: headers['if-match'],
        traceparent: header(headers['traceparent']),
      },
      deps,
    );
    return reply(service, { headers: { etag: etagOf(service) } });
  });

  api.handle(OPERATIONS.rollBack, async ({ params, body, headers }) => {
    const { project, service: name } = params;
    const service = await rollBack({ project, name, ...body, traceparent: header(headers['traceparent']) }, deps);
    return reply(service, { headers: { etag: etagOf(service) } });
  });

  api.handle(OPERATIONS.listRollouts, async ({ params, query }) => {
    const service = await requireService(store(), params.project, params.service);
    return await readPage({
      list: 'rollouts',
      query,
      read: (after, limit) => listRollouts(store(), service.id, after, limit),
      keyOf: ({ id }) => id,
      view: toRollout,
    });
  });

  api.handle(OPERATIONS.deleteService, async ({ params, headers }) => {
    const traceparent = header(headers['traceparent']);
    const { project, service: name } = params;
    await deleteService({ project, name, ifMatch: headers['if-match'], traceparent }, deps);
    return undefined;
  });

  api.handle(OPERATIONS.getService, async ({ params }) => {
    const service = await atOneMoment(db, async (snapshot) => {
      const row = await requireService(snapshot, params.project, params.service);
      return toService(await completeService(snapshot, row), address);
    });
    return reply(service, { headers: { etag: etagOf(service) } });
  });

  api.handle(OPERATIONS.listServices, async ({ params, query }) => {
    return await atOneMoment(db, (snapshot) =>
      readPage({
        list: 'services',
        query,
        async read(after, limit) {
          return await completeServices(snapshot, await listServices(snapshot, params.project, after, limit));
        },
        keyOf: ({ service }) => service.name,
        view: (state) => toService(state, address),
      }),
    );
  });

  api.handle(OPERATIONS.listRevisions, async ({ params, query }) => {
    const service = await requireService(store(), params.project, params.service);
    return await readPage({
      list: 'revisions',
      query,
      read: (after, limit) => listRevisions(store(), service.id, after === null ? null : Number(after), limit),
      keyOf: ({ number }) => String(number),
      view: toRevision,
    });
  });

  api.handle(OPERATIONS.getRevision, async ({ params }) => {
    const row = await findRevision(store(), params.project, params.revision);
    if (row === undefined) {
      throw new Problem('resource.not_found', {
        detail: `Project ${params.project} has no revision ${params.revision}`,
      });
    }
    return toRevision(row);
  });
}

function bindImages(api: Api, deps: RoutesDeps): void {
  const { db, clock, slots, logger } = deps;
  const store = () => db.kysely<Tables>();

  api.handle(OPERATIONS.uploadImage, async ({ params, query, headers, request, response, signal }) => {
    const lines = headers.accept?.includes('application/x-ndjson') === true;
    const giveBack = slots.take(params.project);
    const out = lines ? progressLines(response, clock) : null;
    try {
      const { image, created } = await uploadImage(
        {
          project: params.project,
          ...query,
          body: bodyOf(request, clock, deps.uploadIdleMs),
          declaredBytes: headers['content-length'] === undefined ? undefined : Number(headers['content-length']),
          signal,
          onProgress: (line) => out?.progress(line),
          traceparent: header(headers['traceparent']),
        },
        deps,
      );
      out?.end({ phase: 'done', image });
      return out ? HANDLED : reply(image, { status: created ? 201 : 200 });
    } catch (error) {
      if (signal.aborted || request.errored) {
        logger.info({ project: params.project }, 'upload given up by the client');
        response.destroy();
        return HANDLED;
      }
      await discardRest(request, clock);
      const problem = toProblem(error);
      if (problem.status >= 500) logger.error({ error, project: params.project }, 'upload failed');
      if (!out) {
        if (!request.readableEnded) response.setHeader('connection', 'close');
        throw problem;
      }
      out.end({ phase: 'failed', problem: problem.toDetails() });
      return HANDLED;
    } finally {
      giveBack();
    }
  });

  api.handle(OPERATIONS.listImages, async ({ params, query }) => {
    return await readPage({
      list: 'images',
      query,
      read: (after, limit) => listImages(store(), params.project, after, limit),
      keyOf: ({ id }) => id,
      view: toImage,
    });
  });

  api.handle(OPERATIONS.getImage, async ({ params }) => {
    const row = await findImage(store(), params.project, params.imageId);
    if (row === undefined) {
      throw new Problem('resource.not_found', { detail: `Project ${params.project} has no image ${params.imageId}` });
    }
    return toImage(row);
  });

  api.handle(OPERATIONS.deleteImage, async ({ params, headers }) => {
    await deleteImage({ ...params, traceparent: header(headers['traceparent']) }, deps);
    return undefined;
  });
}

function bindInternal(api: Api, deps: RoutesDeps): void {
  const listing = createRouteListing(deps.address.baseDomain);
  api.handle(OPERATIONS.listGatewayRoutes, ({ query }) => listing.page(deps.book.routes(), query));

  api.handle(OPERATIONS.followRoutes, ({ query, response, signal }) => {
    const { epoch, version } = query;
    const position = epoch === undefined || version === undefined ? null : { epoch, version };
    return deps.book.follow({ position, signal, onStall: () => response.destroy() });
  });

  api.handle(OPERATIONS.getDesired, async ({ headers }) => {
    const desired = await readDesired(deps);
    const etag = `"${desired.version}"`;
    if (headers['if-none-match'] === etag) return emptyReply(304, { etag });
    return reply(desired, { headers: { etag } });
  });
}

async function requireService(store: Store, project: string, name: string): Promise<ServiceRow> {
  const row = await findService(store, project, name);
  if (row === undefined)
    throw new Problem('resource.not_found', { detail: `Project ${project} has no service ${name}` });
  return row;
}

function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
