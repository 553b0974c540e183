import { OPERATIONS, Problem } from '@skyrun/contracts';
import { backoff, type Clock, createClient, newId } from '@skyrun/kit';
import type { NumberedCommand } from './verdict.ts';

/** People who join each project, so commands per project without its creation. */
const PEOPLE = 19;
const WORKERS = 24;
/** An answer that takes longer counts as none; the command is sent again. */
const ANSWER_MS = 8_000;

export interface Load {
  readonly attempted: () => number;
  readonly refused: () => number;
  readonly acknowledged: readonly NumberedCommand[];
  /** Starts nothing new; resolves when every command under way is acknowledged. */
  finish(): Promise<void>;
  /** Resolves with the first command that was begun after now, when it is acknowledged. */
  next(): Promise<NumberedCommand>;
}

export interface LoadTarget {
  /** The gateway. */
  readonly url: string;
  readonly email: string;
  readonly password: string;
  readonly clock: Clock;
}

export interface Loader {
  /** @param label makes the projects of this load unlike any other's; lower case letters */
  start(label: string): Load;
}

/**
 * Signs the people up and in. Each command is sent until it is acknowledged, as a careful client would: a command that was
 * accepted without its answer getting through is answered "already exists" when it is sent again.
 */
export async function createLoader({ url, email, password, clock }: LoadTarget): Promise<Loader> {
  const open = createClient({ baseUrl: url });
  const people: { id: string; email: string }[] = [];
  let token = (await open.call(OPERATIONS.signIn, { body: { email, password } })).accessToken;
  const client = createClient({ baseUrl: url, token: () => token });
  for (let index = 0; index < PEOPLE; index += 1) {
    const body = { email: `p${index}-${newId('user', clock)}@chaos.test`, password: newId('user', clock), name: 'x' };
    people.push((await open.call(OPERATIONS.signUp, { body })).user);
  }
  let signingIn: Promise<void> | undefined;
  const signInAgain = () => {
    signingIn ??= open
      .call(OPERATIONS.signIn, { body: { email, password }, signal: AbortSignal.timeout(ANSWER_MS) })
      .then((tokens) => {
        token = tokens.accessToken;
      })
      .finally(() => {
        signingIn = undefined;
      });
    return signingIn;
  };

  const send = async (project: string, person: { email: string } | null) => {
    const signal = AbortSignal.timeout(ANSWER_MS);
    if (person === null) await client.call(OPERATIONS.createProject, { body: { name: project }, signal });
    else {
      const body = { email: person.email, role: 'viewer' } as const;
      await client.call(OPERATIONS.addMember, { params: { project }, body, signal });
    }
  };

  return {
    start(label) {
      const acknowledged: NumberedCommand[] = [];
      const delay = backoff({ baseMs: 50, maxMs: 1_000 });
      const waiting: { from: number; resolve: (command: NumberedCommand) => void }[] = [];
      let attempted = 0;
      let refused = 0;
      let projects = 0;
      let going = true;

      const decide = async (project: string, person: { id: string; email: string } | null) => {
        const command = { project, who: person?.id ?? '' };
        const begun = clock.monotonic();
        for (let attempt = 1; ; attempt += 1) {
          attempted += 1;
          try {
            await send(project, person);
            break;
          } catch (error) {
            if (error instanceof Problem && error.code === 'resource.already_exists') break;
            refused += 1;
            if (error instanceof Problem && error.code === 'auth.invalid_token')
              await signInAgain().catch(() => undefined);
            await clock.sleep(delay(attempt));
          }
        }
        acknowledged.push(command);
        for (const one of waiting.splice(0)) {
          if (one.from <= begun) one.resolve(command);
          else waiting.push(one);
        }
      };
      const work = async () => {
        while (going) {
          projects += 1;
          const project = `${label}-${projects}`;
          await decide(project, null);
          for (const person of people) if (going) await decide(project, person);
        }
      };
      const workers = Array.from({ length: WORKERS }, work);

      return {
        attempted: () => attempted,
        refused: () => refused,
        acknowledged,
        async finish() {
          going = false;
          await Promise.all(workers);
        },
        next: () =>
          new Promise((resolve) => {
            waiting.push({ from: clock.monotonic(), resolve });
          }),
      };
    },
  };
}
