import { OPERATIONS } from '@skyrun/contracts';
import { type CommandContext, type SignedInClient, UsageError } from './command.ts';

/** The project that a command means: --project, SKYRUN_PROJECT, the session's, or the only one there is. */
export async function chooseProject(
  context: CommandContext,
  client: SignedInClient,
  given: string | undefined,
): Promise<string> {
  const named = given ?? context.environment.project ?? (await context.sessions.read())?.project;
  if (named !== undefined) return named;
  const { items } = await client.call(OPERATIONS.listProjects);
  const [only, ...others] = items;
  if (!only) throw new UsageError('you have no project yet; create one: skyrun projects create NAME');
  if (others.length > 0) {
    throw new UsageError(`say which project: --project ${items.map(({ name }) => name).join(' | ')}`);
  }
  return only.name;
}

export function one(positionals: readonly string[], what: string): string {
  const [value, ...rest] = positionals;
  if (value === undefined) throw new UsageError(`${what} is missing`);
  if (rest.length > 0) throw new UsageError(`unexpected argument ${rest[0]}`);
  return value;
}
