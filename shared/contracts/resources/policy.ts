import { z } from 'zod';

const addressOrNetwork = z
  .string()
  .max(64)
  .refine(
    (text) => z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]).safeParse(text).success,
    'expected an address or a network, such as 203.0.113.7 or 10.0.0.0/8',
  );

const methodName = z.string().regex(/^[A-Z]{1,32}$/, 'expected a method such as GET');

export const rateLimit = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,29}$/, 'expected lower-case letters, digits and hyphens, at most 30')
    .default('default')
    .describe('names the limit in the RateLimit header'),
  /** What shares one bucket: a client address, a caller (Authorization or X-API-Key), or everybody. */
  per: z.enum(['address', 'caller', 'service', 'project']).default('address'),
  requests: z.int().min(1).max(10_000_000).describe('requests in each window'),
  windowSeconds: z.int().min(1).max(86_400).default(60),
  burst: z.int().min(1).max(10_000_000).optional().describe('requests that may come at once; default: `requests`'),
  pathPrefix: z.string().startsWith('/').max(1000).optional().describe('only requests below this path'),
  methods: z.array(methodName).min(1).max(20).optional().describe('only requests of these methods'),
});
export type RateLimit = z.infer<typeof rateLimit>;

export const cors = z.strictObject({
  origins: z
    .array(z.union([z.literal('*'), z.url({ protocol: /^https?$/ })]))
    .min(1)
    .max(100)
    .describe('such as https://shop.example; * is every one'),
  methods: z.array(methodName).max(20).default(['GET', 'HEAD', 'POST']),
  headers: z
    .array(z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'expected the name of a header'))
    .max(100)
    .default([]),
  exposed: z
    .array(z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'expected the name of a header'))
    .max(100)
    .default([]),
  credentials: z.boolean().default(false),
  maxAgeSeconds: z.int().min(0).max(86_400).default(600),
});
export type Cors = z.infer<typeof cors>;

/** What the gateway asks of a request before an instance sees it. A change makes no revision. */
export const servicePolicy = z
  .strictObject({
    /** `members`: a valid access token of somebody in the project must come as `Authorization: Bearer`. */
    invoker: z.enum(['public', 'members']).default('public'),
    /** Client addresses that may call; empty: all. */
    allow: z.array(addressOrNetwork).max(1000).default([]),
    /** Client addresses that may not, even where `allow` names them. */
    deny: z.array(addressOrNetwork).max(1000).default([]),
    rateLimits: z.array(rateLimit).max(20).default([]),
    cors: cors.optional(),
    /** Answers every request with 503 and this message; instances are left alone. */
    maintenance: z.strictObject({ message: z.string().min(1).max(500) }).optional(),
    maxRequestBytes: z.int().min(0).optional().describe('a larger body is answered with 413'),
    /** A browser that comes while no instance is ready sees a page that reloads itself, instead of waiting. */
    waitingPage: z.boolean().default(false),
    /** A caller who sends `Skyrun-Cost: 1` is told in a `Skyrun-Cost` header what the request cost. */
    showCost: z.boolean().optional(),
    /** Milliseconds between the request and the first byte of its response. */
    firstByteTimeoutMs: z.int().min(10).max(3_600_000).optional(),
    /** Milliseconds between two pieces of a response. */
    idleTimeoutMs: z.int().min(10).max(3_600_000).optional(),
    breaker: z
      .strictObject({
        /** Share of responses that are 5xx or none, in the last ten seconds, at which an instance gets no more requests. */
        failureRatio: z.number().min(0.01).max(1).optional(),
        /** A response that begins later than this counts as a failure of the ratio. */
        slowerThanMs: z.int().min(1).max(3_600_000).optional(),
        minRequests: z.int().min(1).max(100_000).default(20).describe('fewer requests in ten seconds prove nothing'),
      })
      .optional(),
    /** Milliseconds over which a new instance is brought up to its share of requests. */
    slowStartMs: z.int().min(0).max(600_000).default(0),
    /** For services whose port is named h2c: how many requests share one connection to an instance; otherwise 16. */
    multiplexing: z
      .strictObject({
        streams: z.int().min(1).max(1000).default(100).describe('requests at a time on one connection'),
      })
      .optional(),
    /**
     * Declares that GET and HEAD change nothing, so that they may be sent twice, and lets many of them share one HTTP/1.1
     * connection to an instance. Not for a port that is named h2c.
     */
    pipelining: z
      .strictObject({
        depth: z.int().min(2).max(64).default(8).describe('requests at a time on one connection'),
        heldUpMs: z
          .int()
          .min(5)
          .max(10_000)
          .default(50)
          .describe('how long one response may hold up those behind it, in ms; then they go another way'),
      })
      .optional(),
  })
  .superRefine((policy, context) => {
    if (policy.cors?.credentials === true && policy.cors.origins.includes('*')) {
      context.addIssue({
        code: 'custom',
        path: ['cors', 'origins'],
        message: 'with credentials, name the origins: browsers refuse *',
      });
    }
    const names = policy.rateLimits.map((limit) => limit.name);
    names.forEach((name, index) => {
      if (names.indexOf(name) !== index) {
        context.addIssue({ code: 'custom', path: ['rateLimits', index, 'name'], message: `${name} is given twice` });
      }
    });
  });
export type ServicePolicy = z.infer<typeof servicePolicy>;
