import { OPERATIONS, Problem, type Tokens, type User } from '@skyrun/contracts';
import type { PageClock } from '../clock.ts';
import type { Send } from './transport.ts';

const STORAGE_KEY = 'skyrun.refresh-token';
/** Renewed this long before it ends, so that no request starts with a token that ends on the way. */
const RENEW_BEFORE_MS = 30_000;

export interface TokenStore {
  read(): string | null;
  /** `remember`: kept when the browser closes; absent: where it was kept before. */
  write(token: string, remember?: boolean): void;
  clear(): void;
}

/** Where the refresh token rests: localStorage when the person asked to be remembered, else this tab's storage. */
export function browserTokenStore(local: Storage, tab: Storage): TokenStore {
  return {
    read: () => tab.getItem(STORAGE_KEY) ?? local.getItem(STORAGE_KEY),
    write: (token, remember = tab.getItem(STORAGE_KEY) === null) => {
      (remember ? tab : local).removeItem(STORAGE_KEY);
      (remember ? local : tab).setItem(STORAGE_KEY, token);
    },
    clear: () => {
      local.removeItem(STORAGE_KEY);
      tab.removeItem(STORAGE_KEY);
    },
  };
}

export type SessionState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'signed-out' }
  /** The refresh could not be asked; the person is not signed out for that. */
  | { readonly kind: 'unreachable'; readonly problem: Problem }
  | { readonly kind: 'signed-in'; readonly user: User };

export interface SessionDeps {
  readonly send: Send;
  readonly store: TokenStore;
  readonly clock: PageClock;
  /** Runs `work` while no other tab does; a refresh token works once. */
  readonly exclusive: <T>(work: () => Promise<T>) => Promise<T>;
}

/**
 * The session's state:
 *
 *   starting ──refresh ok──► signed-in ──sign out, refresh refused──► signed-out
 *      │  └──refused──► signed-out          ▲
 *      └──no answer──► unreachable ──retry──┘
 *
 * The access token stays in memory; only the refresh token rests in the browser.
 */
export class Session {
  readonly #deps: SessionDeps;
  readonly #listeners = new Set<() => void>();
  #state: SessionState = { kind: 'starting' };
  #access: { token: string; endsAt: number } | null = null;
  #renewal: Promise<string> | null = null;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  readonly state = (): SessionState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Takes up the session of an earlier visit, if there is one. */
  async start(): Promise<void> {
    if (this.#deps.store.read() === null) return this.#become({ kind: 'signed-out' });
    try {
      await this.renew();
    } catch (error) {
      if (this.#state.kind !== 'signed-out') {
        const problem = error instanceof Problem ? error : new Problem('platform.internal', { cause: error });
        this.#become({ kind: 'unreachable', problem });
      }
    }
  }

  adopt(tokens: Tokens, remember?: boolean): void {
    this.#deps.store.write(tokens.refreshToken, remember);
    this.#access = {
      token: tokens.accessToken,
      endsAt: this.#deps.clock.monotonic() + tokens.expiresInSeconds * 1000,
    };
    this.#become({ kind: 'signed-in', user: tokens.user });
  }

  /** A token that is good for a while; throws `auth.required` when there is none to be had. */
  async token(): Promise<string> {
    const access = this.#access;
    if (access !== null && this.#deps.clock.monotonic() < access.endsAt - RENEW_BEFORE_MS) return access.token;
    return this.renew();
  }

  /** New tokens; however many ask at once, one request is made. */
  renew(): Promise<string> {
    this.#renewal ??= this.#deps
      .exclusive(() => this.#refresh())
      .finally(() => {
        this.#renewal = null;
      });
    return this.#renewal;
  }

  async signOut(): Promise<void> {
    const refreshToken = this.#deps.store.read();
    this.#forget();
    // The person is signed out here whether or not the server could be told.
    if (refreshToken !== null) await this.#deps.send(OPERATIONS.signOut, { body: { refreshToken } }, null);
  }

  async #refresh(): Promise<string> {
    // Read inside the lock: another tab may have renewed it meanwhile.
    const refreshToken = this.#deps.store.read();
    if (refreshToken === null) {
      this.#forget();
      throw new Problem('auth.required');
    }
    try {
      const response = await this.#deps.send(OPERATIONS.refresh, { body: { refreshToken } }, null);
      const tokens = OPERATIONS.refresh.response.parse(await response.json());
      this.adopt(tokens);
      return tokens.accessToken;
    } catch (error) {
      if (error instanceof Problem && error.status < 500 && error.status !== 429) this.#forget();
      throw error;
    }
  }

  #forget(): void {
    this.#access = null;
    this.#deps.store.clear();
    this.#become({ kind: 'signed-out' });
  }

  #become(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** One tab at a time where the browser can promise it (secure contexts only). */
export function exclusiveAcrossTabs<T>(work: () => Promise<T>): Promise<T> {
  if (!('locks' in navigator)) return work();
  return navigator.locks.request('skyrun.refresh', work);
}
