import type { IncomingMessage, ServerResponse } from 'node:http';
import { OPERATIONS, type Operation, Problem, type UploadProgress } from '@skyrun/contracts';
import { type FakeState, id, iso } from './state.ts';

export interface Call {
  readonly params: Record<string, string>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

type Handler = (call: Call) => unknown;

/** Answered by a handler that has written the response itself. */
export const WRITTEN = Symbol('written');

const USER = {
  id: id('user'),
  email: 'ada@example.com',
  name: 'Ada Lovelace',
  admin: false,
  createdAt: iso(Date.now()),
};
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export function fakeHandlers(state: FakeState): Map<Operation, Handler> {
  const handlers = new Map<Operation, Handler>();
  const on = (operation: Operation, handler: Handler) => handlers.set(operation, handler);
  const page = <Item>(items: readonly Item[], { query }: Call) => {
    const limit = Number(query.get('limit') ?? 50);
    const from = Number(query.get('cursor') ?? 0);
    const end = from + limit;
    return { items: items.slice(from, end), nextCursor: end < items.length ? String(end) : null };
  };
  const tokens = () => ({
    accessToken: id('session'),
    tokenType: 'Bearer',
    expiresInSeconds: 600,
    refreshToken: id('session'),
    user: USER,
  });
  const found = ({ params }: Call) => {
    const one = state.running.get(`${params['project']}/${params['service']}`);
    if (one === undefined)
      throw new Problem('resource.not_found', { detail: `there is no service ${params['service']}` });
    return one;
  };
  const settle = async (one: ReturnType<typeof found>) => {
    await sleep(2500);
    if (one.service.spec.template.port === 1)
      state.fail(one, 'ProbeTimeout', 'Nothing answered on port 1 within 240 s');
    else state.becomeReady(one);
  };

  on(OPERATIONS.signIn, ({ body }) => {
    const { password } = OPERATIONS.signIn.body.parse(body);
    if (password === 'wrong') throw new Problem('auth.invalid_credentials', { detail: 'Check both and try again.' });
    return tokens();
  });
  on(OPERATIONS.signUp, tokens);
  on(OPERATIONS.refresh, tokens);
  on(OPERATIONS.signOut, () => undefined);
  on(OPERATIONS.listProjects, (call) => page(state.projects, call));
  on(OPERATIONS.createProject, ({ body }) => state.addProject(OPERATIONS.createProject.body.parse(body).name));
  on(OPERATIONS.listMembers, (call) =>
    page(
      [
        { userId: USER.id, email: USER.email, role: 'owner', addedAt: USER.createdAt },
        { userId: id('user'), email: 'grace@example.com', role: 'viewer', addedAt: USER.createdAt },
      ],
      call,
    ),
  );
  on(OPERATIONS.addMember, () => {
    throw new Problem('resource.not_found', { detail: 'nobody has this e-mail' });
  });
  on(OPERATIONS.listServices, (call) =>
    page(
      [...state.running.values()]
        .map(({ service }) => service)
        .filter(({ project }) => project === call.params['project']),
      call,
    ),
  );
  on(OPERATIONS.getService, (call) => found(call).service);
  on(OPERATIONS.createService, ({ params, body }) => {
    const { name, spec } = OPERATIONS.createService.body.parse(body);
    const project = params['project'] ?? '';
    if (state.running.has(`${project}/${name}`)) throw new Problem('resource.already_exists');
    const one = state.createFrom(project, name, spec, () => 12);
    void settle(one);
    return one.service;
  });
  on(OPERATIONS.replaceService, (call) => {
    const one = found(call);
    if (call.request.headers['if-match'] !== `"${one.service.generation}"`)
      throw new Problem('resource.precondition_failed');
    state.revise(one, OPERATIONS.replaceService.body.parse(call.body).spec);
    void settle(one);
    return one.service;
  });
  on(OPERATIONS.deleteService, (call) => {
    found(call);
    state.running.delete(`${call.params['project']}/${call.params['service']}`);
    return undefined;
  });
  on(OPERATIONS.listRevisions, (call) => page(found(call).revisions, call));
  on(OPERATIONS.listInstances, (call) => page(found(call).instances, call));
  on(OPERATIONS.getMetrics, (call) => ({ stepMs: 1000, points: found(call).points }));
  on(OPERATIONS.listDecisions, (call) => page(found(call).decisions, call));
  on(OPERATIONS.listImages, (call) =>
    page(
      state.images.filter(({ project }) => project === call.params['project']),
      call,
    ),
  );
  on(OPERATIONS.getImage, ({ params }) => state.images.find((image) => image.id === params['imageId']));
  on(OPERATIONS.deleteImage, () => {
    throw new Problem('resource.in_use', { detail: 'the service hello uses it' });
  });
  on(OPERATIONS.listProjectEvents, (call) => {
    const type = call.query.get('type')?.replace('*', '') ?? '';
    const text = call.query.get('text')?.toLowerCase() ?? '';
    const { project } = call.params;
    return page(
      state.events.filter(
        (event) =>
          event.project === project &&
          event.type.startsWith(type) &&
          JSON.stringify(event).toLowerCase().includes(text),
      ),
      call,
    );
  });
  on(OPERATIONS.getCosts, ({ params }) => state.costs(params['project'] ?? ''));
  on(OPERATIONS.listInvoices, (call) =>
    page(
      state.invoices.filter(({ project }) => project === call.params['project']),
      call,
    ),
  );
  on(OPERATIONS.getInvoice, ({ params }) => state.invoices.find((invoice) => invoice.id === params['invoiceId']));
  on(OPERATIONS.verifyInvoice, ({ params }) => {
    const invoice = state.invoices.find(({ id: known }) => known === params['invoiceId']);
    return {
      invoiceId: invoice?.id,
      number: invoice?.number,
      exact: true,
      difference: null,
      usageRows: 236,
      verifiedAt: iso(Date.now()),
    };
  });
  on(OPERATIONS.closePeriod, ({ params }) => state.close(params['project'] ?? ''));
  on(OPERATIONS.followLogs, async ({ response, ...call }) => {
    const one = found({ response, ...call });
    response.setHeader('content-type', 'application/x-ndjson');
    const write = (at: number, number: number) => {
      const [instance] = one.instances;
      const failing = number % 17 === 0;
      const line = {
        at: iso(at),
        instanceId: instance?.id ?? id('instance'),
        revisionName: one.revisions[0]?.name ?? '',
        stream: failing ? 'stderr' : 'stdout',
        text: failing
          ? 'Error: upstream timed out after 2000 ms'
          : `GET /items/${number % 37} 200 ${(number * 7) % 90} ms`,
      };
      response.write(`${JSON.stringify(line)}\n`);
    };
    for (let number = 1; number < 60; number += 1) write(Date.now() - (60 - number) * 700, number);
    for (let number = 60; !response.destroyed; number += 1) {
      await sleep(400);
      write(Date.now(), number);
    }
    return WRITTEN;
  });
  on(OPERATIONS.uploadImage, async ({ params, query, request, response }) => {
    let bytes = 0;
    response.statusCode = 201;
    response.setHeader('content-type', 'application/x-ndjson');
    const say = (progress: UploadProgress) => response.write(`${JSON.stringify(progress)}\n`);
    for await (const chunk of request) {
      bytes += chunk.length;
      say({ phase: 'receiving', bytes });
    }
    for (const phase of ['validating', 'importing'] as const) {
      for (let part = 0; part <= 8; part += 1) {
        say({ phase, bytes: Math.floor((bytes * part) / 8), totalBytes: bytes });
        await sleep(90);
      }
    }
    if (bytes < 100) {
      const problem = new Problem('image.not_an_archive', {
        detail: 'The file begins with neither a tar header nor gzip.',
      });
      say({ phase: 'failed', problem: problem.toDetails() });
    } else {
      say({
        phase: 'done',
        image: state.addImage(
          params['project'] ?? '',
          query.get('name') ?? 'team/web-shop',
          query.get('tag') ?? 'v1',
          bytes,
        ),
      });
    }
    response.end();
    return WRITTEN;
  });
  return handlers;
}
