import { once } from 'node:events';
import { parseArgs } from 'node:util';
import {
  type EventEnvelope,
  eventEnvelope,
  isProblemCode,
  LIVE_FEED,
  matchesType,
  OPERATIONS,
  Problem,
} from '@skyrun/contracts';
import { io } from 'socket.io-client';
import { z } from 'zod';
import { type CommandContext, EXIT, type SignedInClient } from '../../command.ts';
import { chooseProject } from '../../project.ts';

/** The newest events, oldest first; then, with `tail` or `--follow`, what comes. */
export async function list(context: CommandContext, args: readonly string[], tail: boolean): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      follow: { type: 'boolean', short: 'f', default: false },
      type: { type: 'string' },
      subject: { type: 'string' },
      limit: { type: 'string', default: '50' },
      project: { type: 'string' },
    },
  });
  const client = await context.client();
  const project = await chooseProject(context, client, values.project);
  const { items } = await client.call(OPERATIONS.listProjectEvents, {
    params: { project },
    query: {
      limit: values.limit,
      ...(values.type === undefined ? {} : { type: values.type }),
      ...(values.subject === undefined ? {} : { subject: values.subject }),
    },
  });
  for (const event of [...items].reverse()) print(context, event);
  if (!values.follow && !tail) return EXIT.ok;
  const wanted = (event: EventEnvelope) =>
    (values.type === undefined || matchesType(values.type, event.type)) &&
    (values.subject === undefined || event.subject.startsWith(values.subject));
  return follow(context, client, project, wanted);
}

const acknowledgement = z.union([
  z.object({ ok: z.literal(true) }),
  z.object({ ok: z.literal(false), problem: z.object({ code: z.string(), detail: z.string().optional() }) }),
]);

async function follow(
  context: CommandContext,
  client: SignedInClient,
  project: string,
  wanted: (event: EventEnvelope) => boolean,
): Promise<number> {
  const socket = io(client.baseUrl, {
    path: LIVE_FEED.path,
    auth: (give) => {
      client.token().then(
        (token) => give({ token }),
        (error: unknown) => context.output.error(`cannot renew the session: ${String(error)}`),
      );
    },
  });
  const refused = new AbortController();
  socket.on(LIVE_FEED.event, (raw: unknown) => {
    const event = eventEnvelope.safeParse(raw);
    if (event.success && wanted(event.data)) print(context, event.data);
  });
  socket.on('connect', () => {
    socket.emit(LIVE_FEED.subscribe, { project }, (raw: unknown) => {
      const answer = acknowledgement.parse(raw);
      if (!answer.ok) refused.abort(toProblem(answer.problem));
    });
  });
  socket.on('connect_error', (error) => context.output.progress(`waiting for the live feed: ${error.message}`));
  try {
    const ended = AbortSignal.any([context.signal, refused.signal]);
    if (!ended.aborted) await once(ended, 'abort');
    if (refused.signal.aborted) throw refused.signal.reason;
    return EXIT.ok;
  } finally {
    socket.disconnect();
  }
}

function toProblem({ code, detail }: { code: string; detail?: string | undefined }): Problem {
  return new Problem(isProblemCode(code) ? code : 'platform.internal', detail === undefined ? {} : { detail });
}

function print({ output }: CommandContext, event: EventEnvelope): void {
  if (output.json) output.data(event);
  else output.line(`${event.time}  ${event.type.padEnd(30)}  ${event.subject}`);
}
