import { OPERATIONS, Problem } from '@skyrun/contracts';
import { backoff, type Clock, createClient, newId } from '@skyrun/kit';
import type { Call } from './call.ts';
import { memberCommands } from './load-members.ts';
import { ordersOf, prepareShop } from './load-orders.ts';
import type { NumberedCommand } from './verdict.ts';

/** People who join each project, so commands per project without its creation. */
const PEOPLE = 19;
const CALLERS = 6;
const PUBLISHERS = 6;
/** An answer that takes longer counts as none; the call is sent again. */
const ANSWER_MS = 8_000;
const FULL_MS = 50;

export interface Load {
  /** Calls sent, repetitions included; and those of them that were answered with a refusal or not at all. */
  readonly attempted: () => number;
  readonly refused: () => number;
  /** Calls that were accepted. */
  readonly accepted: () => number;
  readonly acknowledged: readonly NumberedCommand[];
  /** Starts nothing new; resolves when every call under way is accepted. */
  finish(): Promise<void>;
  /** Starts nothing new; resolves, when every call under way is accepted, with what lets it go on. */
  hold(): Promise<() => void>;
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
  /** @param label makes the commands of this load unlike any other's; lower case letters */
  start(label: string, pace: Pace): Load;
}

export interface Pace {
  /** Whether the publishers may go on when so many are acknowledged; callers of single commands always do. */
  room(acknowledged: number): boolean;
  /** Milliseconds that each sender rests between two calls. */
  readonly pauseMs: number;
}

/**
 * Signs the people up and in. Each call is sent until it is accepted, as a careful client would: one that was accepted without
 * its answer getting through changes nothing when it is sent again.
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
  await prepareShop(client);
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

  return {
    start(label, { room, pauseMs }) {
      const acknowledged: NumberedCommand[] = [];
      const delay = backoff({ baseMs: 50, maxMs: 1_000 });
      const waiting: { from: number; resolve: (command: NumberedCommand) => void }[] = [];
      let attempted = 0;
      let refused = 0;
      let accepted = 0;
      let going = true;
      let held: PromiseWithResolvers<void> | undefined;
      const underWay = new Set<Promise<void>>();

      const untilAccepted = async ({ commands, send }: Call) => {
        const begun = clock.monotonic();
        for (let attempt = 1; ; attempt += 1) {
          attempted += 1;
          try {
            await send(client, AbortSignal.timeout(ANSWER_MS));
            break;
          } catch (error) {
            if (error instanceof Problem && error.code === 'resource.already_exists') break;
            refused += 1;
            if (error instanceof Problem && error.code === 'auth.invalid_token')
              await signInAgain().catch(() => undefined);
            await clock.sleep(delay(attempt));
          }
        }
        accepted += 1;
        acknowledged.push(...commands);
        const [first] = commands;
        for (const one of waiting.splice(0)) {
          if (one.from <= begun && first) one.resolve(first);
          else waiting.push(one);
        }
      };
      const work = async (calls: Iterator<Call>, mayGo: () => boolean) => {
        while (going) {
          if (held) await held.promise;
          else if (mayGo()) {
            const call = untilAccepted(calls.next().value);
            underWay.add(call);
            await call.finally(() => underWay.delete(call));
            if (pauseMs > 0) await clock.sleep(pauseMs);
          } else await clock.sleep(FULL_MS);
        }
      };
      const workers = [
        ...Array.from({ length: CALLERS }, (_, index) => work(memberCommands(`${label}-${index}`, people), () => true)),
        ...Array.from({ length: PUBLISHERS }, (_, index) =>
          work(ordersOf(`${label}-${index}`), () => room(acknowledged.length)),
        ),
      ];

      return {
        attempted: () => attempted,
        refused: () => refused,
        accepted: () => accepted,
        acknowledged,
        async finish() {
          going = false;
          await Promise.all(workers);
        },
        async hold() {
          const holding = Promise.withResolvers<void>();
          held = holding;
          await Promise.all(underWay);
          return () => {
            held = undefined;
            holding.resolve();
          };
        },
        next: () =>
          new Promise((resolve) => {
            waiting.push({ from: clock.monotonic(), resolve });
          }),
      };
    },
  };
}
