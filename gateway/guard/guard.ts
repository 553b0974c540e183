import { createHash } from 'node:crypto';
import { API_KEY, type Cors, type ProblemCode, type RateLimit, type ServicePolicy } from '@skyrun/contracts';
import type { CallBook, CallCount } from '../calls/call-book.ts';
import { sentApiKey, sentToken } from '../calls/sent-api-key.ts';
import type { RequestFields } from '../http1/request-fields.ts';
import type { Buckets } from '../limit/buckets.ts';
import type { Admission, RequestBounds } from '../pipeline/admission.ts';
import { type OwnAnswer, problemAnswer } from '../pipeline/answer.ts';
import type { RequestHead } from '../pipeline/request-head.ts';
import { AddressGate } from './address-gate.ts';
import type { Callers } from './callers.ts';
import { RequestLimit } from './request-limit.ts';
import { networkOf } from './same-place.ts';

export type GuardVerdict =
  | { readonly kind: 'admit'; readonly admission: Admission }
  | { readonly kind: 'answer'; readonly answer: OwnAnswer };

export interface GuardDeps {
  readonly buckets: Buckets;
  readonly callers: Callers;
  readonly calls: Pick<CallBook, 'of'>;
  /** Monotonic ms. */
  readonly monotonic: () => number;
  /** Unix ms. */
  readonly now: () => number;
  /** A limit refused a request. */
  readonly onLimited: (place: { readonly project: string; readonly service: string }, limit: RateLimit) => void;
}

/** Who of the project calls; or, with a code, why they may not. */
type Member = { readonly code: null; readonly id: string } | { readonly code: ProblemCode; readonly detail: string };

const MAINTENANCE_RETRY_SECONDS = 60;

/** A service's policy, made ready to be asked for every request. Null policy, null guard: such a service pays nothing. */
export class Guard {
  #policy: ServicePolicy;
  #project: string;
  #service: string;
  #kind: 'service' | 'team';
  #deps: GuardDeps;
  readonly #gate: AddressGate;
  #limits: readonly RequestLimit[];
  #plain: Admission;
  /** What the last request that was let in got; the next one mostly gets the same. */
  #admitted: { readonly kind: 'admit'; readonly admission: Admission };
  #callerKeys = new WeakMap<RequestFields, string>();
  /** The client address that was asked for last, and its network. */
  #address = '';
  #network = '';

  constructor(
    policy: ServicePolicy,
    options: {
      project: string;
      service: string;
      serviceId: string;
      /** `team`: its team runs it. */
      kind?: 'service' | 'team';
      deps: GuardDeps;
    },
  ) {
    this.#policy = policy;
    this.#project = options.project;
    this.#service = options.service;
    this.#kind = options.kind ?? 'service';
    this.#deps = options.deps;
    this.#gate = new AddressGate(policy);
    this.#limits = policy.rateLimits.map((limit) => {
      const scope = limit.per === 'project' ? options.project : options.serviceId;
      return new RequestLimit(limit, { scope, buckets: options.deps.buckets });
    });
    this.#plain = {
      responseFields: '',
      bounds: boundsOf(policy),
      hidesToken: policy.invoker === 'members',
      decidesCors: policy.cors !== undefined,
      call: null,
    };
    this.#admitted = { kind: 'admit', admission: this.#plain };
  }

  get waitingPage(): boolean {
    return this.#policy.waitingPage;
  }

  check(head: RequestHead, address: string): GuardVerdict {
    const { fields } = head;
    const { maintenance, cors } = this.#policy;
    const corsFields = cors === undefined ? '' : originFields(cors, fields.origin);
    if (maintenance !== undefined) {
      const options = { detail: maintenance.message, retryAfterSeconds: MAINTENANCE_RETRY_SECONDS };
      return refusal(head, 'gateway.maintenance', options, corsFields);
    }
    if (!this.#gate.admits(address)) {
      const options = { detail: `The service takes no requests from ${address}.` };
      return refusal(head, 'gateway.address_refused', options, corsFields);
    }
    if (cors !== undefined && isPreflight(head)) return preflight(cors, corsFields);
    let who: string | null = null;
    if (this.#policy.invoker === 'members') {
      const member = this.#memberOf(fields);
      if (member.code !== null) {
        const { code, detail } = member;
        const challenge = `WWW-Authenticate: Bearer realm="${this.#project}"${code === 'auth.required' ? '' : ', error="invalid_token"'}\r\n`;
        return refusal(head, code, { detail }, corsFields + (code === 'auth.forbidden' ? '' : challenge));
      }
      who = member.id;
    }
    let limited = '';
    for (const limit of this.#limits) {
      if (!limit.covers(head.line.method, head.line.target)) continue;
      const verdict = limit.take(this.#bucketOwner(limit.limit, fields, address, who), this.#deps.monotonic());
      limited += limit.fields(verdict);
      if (!verdict.allowed) return this.#limited(head, limit.limit, verdict.retryMs, corsFields + limited);
    }
    const { maxRequestBytes } = this.#policy;
    if (maxRequestBytes !== undefined && fields.contentLength > maxRequestBytes) {
      const options = { detail: `The service takes at most ${maxRequestBytes} bytes.` };
      return refusal(head, 'request.too_large', options, corsFields);
    }
    return this.#admit(corsFields + limited, this.#callOf(fields));
  }

  #admit(responseFields: string, call: CallCount | null): GuardVerdict {
    const { admission } = this.#admitted;
    if (responseFields !== admission.responseFields || call !== admission.call) {
      this.#admitted = { kind: 'admit', admission: { ...this.#plain, responseFields, call } };
    }
    return this.#admitted;
  }

  #limited(head: RequestHead, limit: RateLimit, retryMs: number, extra: string): GuardVerdict {
    const seconds = Math.max(1, Math.ceil(retryMs / 1000));
    this.#deps.onLimited({ project: this.#project, service: this.#service }, limit);
    const detail = `More than ${limit.requests} requests in ${limit.windowSeconds} s; try again in ${seconds} s.`;
    return refusal(head, 'gateway.rate_limited', { detail, retryAfterSeconds: seconds }, extra);
  }

  #memberOf(fields: RequestFields): Member {
    const { callers, now } = this.#deps;
    const token = sentToken(fields) ?? sentApiKey(fields);
    if (token === undefined) {
      return {
        code: 'auth.required',
        detail:
          'Only members of the project may call; send Authorization: Bearer <token or API key>, or X-API-Key: <API key>.',
      };
    }
    if (API_KEY.test(token)) return this.#keyHolder(token);
    if (!callers.hasKeys) return { code: 'platform.unavailable', detail: 'Tokens cannot be verified yet.' };
    const verdict = callers.identify(token, now());
    if ('fault' in verdict) return { code: 'auth.invalid_token', detail: `${verdict.fault}.` };
    const { claims } = verdict;
    if (claims.admin || Object.hasOwn(claims.projects, this.#project)) return { code: null, id: claims.sub };
    return { code: 'auth.forbidden', detail: `You are no member of the project ${this.#project}.` };
  }

  #callOf(fields: RequestFields): CallCount | null {
    const text = sentApiKey(fields);
    if (text === undefined) return null;
    const { callers, calls, now } = this.#deps;
    return calls.of(callers.identifyApiKey(text, now()), {
      project: this.#project,
      kind: this.#kind,
      name: this.#service,
    });
  }

  #keyHolder(text: string): Member {
    const { callers, now } = this.#deps;
    if (!callers.hasApiKeys) return { code: 'platform.unavailable', detail: 'API keys cannot be verified yet.' };
    const key = callers.identifyApiKey(text, now());
    if (key === null) return { code: 'auth.invalid_token', detail: 'There is no such API key, or it has ended.' };
    if (key.project === this.#project) return { code: null, id: key.id };
    return { code: 'auth.forbidden', detail: `The API key is not of the project ${this.#project}.` };
  }

  /** A member is told by who they are: whoever could spell their credentials in another way would have a bucket for each. */
  #bucketOwner({ per }: RateLimit, fields: RequestFields, address: string, member: string | null): string {
    if (per === 'address') return this.#networkOf(address);
    return per === 'caller' ? (member ?? this.#caller(fields, this.#networkOf(address))) : '';
  }

  #networkOf(address: string): string {
    if (address !== this.#address) {
      this.#address = address;
      this.#network = networkOf(address);
    }
    return this.#network;
  }

  /** A name for whoever sends the credentials; they themselves never leave the process. */
  #caller(fields: RequestFields, address: string): string {
    const secret = fields.authorization || fields.apiKey;
    if (secret === '') return address;
    let key = this.#callerKeys.get(fields);
    if (key === undefined) {
      key = createHash('sha256').update(secret).digest('base64url').slice(0, 22);
      this.#callerKeys.set(fields, key);
    }
    return key;
  }
}

function boundsOf(policy: ServicePolicy): RequestBounds | null {
  const { maxRequestBytes, firstByteTimeoutMs, idleTimeoutMs } = policy;
  if (maxRequestBytes === undefined && firstByteTimeoutMs === undefined && idleTimeoutMs === undefined) return null;
  return {
    maxRequestBytes: maxRequestBytes ?? null,
    firstByteMs: firstByteTimeoutMs ?? 0,
    idleMs: idleTimeoutMs ?? 0,
  };
}

function refusal(
  head: RequestHead,
  code: ProblemCode,
  options: { detail: string; retryAfterSeconds?: number },
  extra: string,
): GuardVerdict {
  const answer = problemAnswer(code, { ...options, html: head.fields.acceptsHtml, requestId: head.requestId });
  return { kind: 'answer', answer: { ...answer, fields: answer.fields + extra } };
}

function isPreflight(head: RequestHead): boolean {
  return head.line.method === 'OPTIONS' && head.fields.origin !== '' && head.fields.requestMethod !== '';
}

/**
 * What a browser needs to hand the response to a page of `origin`. Requests of no page get it too, so that a cache does not
 * give a page what it kept of them (Fetch, "CORS protocol and HTTP caches").
 */
function originFields(cors: Cors, origin: string): string {
  const any = cors.origins.includes('*');
  if (!any && !cors.origins.includes(origin)) return 'Vary: Origin\r\n';
  const credentials = cors.credentials ? 'Access-Control-Allow-Credentials: true\r\n' : '';
  const exposed = cors.exposed.length > 0 ? `Access-Control-Expose-Headers: ${cors.exposed.join(', ')}\r\n` : '';
  return `Access-Control-Allow-Origin: ${any ? '*' : origin}\r\n${any ? '' : 'Vary: Origin\r\n'}${credentials}${exposed}`;
}

function preflight(cors: Cors, corsFields: string): GuardVerdict {
  const headers = cors.headers.length > 0 ? `Access-Control-Allow-Headers: ${cors.headers.join(', ')}\r\n` : '';
  const fields =
    `${corsFields}Access-Control-Allow-Methods: ${cors.methods.join(', ')}\r\n${headers}` +
    `Access-Control-Max-Age: ${cors.maxAgeSeconds}\r\n`;
  return { kind: 'answer', answer: { status: 204, fields, body: Buffer.alloc(0) } };
}
