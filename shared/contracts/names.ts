import { z } from 'zod';

/**
 * A DNS label (RFC 1123): projects and services are named so because their names become a host,
 * `<service>.<project>.<base domain>`. `--` is refused: `---` separates a tag from a service in a host.
 */
export const dnsLabel = z
  .string()
  .min(1)
  .max(40)
  .regex(/^[a-z]([a-z0-9]|-(?!-))*$/, 'expected lower-case letters, digits and single hyphens, starting with a letter')
  .regex(/[a-z0-9]$/, 'must not end with a hyphen');

/** A repository name of an image inside its project, e.g. `web` or `team/web`. */
export const imageName = z
  .string()
  .min(1)
  .max(120)
  .regex(
    /^[a-z0-9]+([._-][a-z0-9]+)*(\/[a-z0-9]+([._-][a-z0-9]+)*)*$/,
    'expected a lower-case image name such as "web"',
  );

export const imageTag = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/, 'expected an image tag such as "v1"');

export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256:<64 hex digits>');

/** UTC, RFC 3339. */
export const timestamp = z.iso.datetime();

/** W3C Trace Context. Not checked further: a request is never refused for its trace, which then begins anew. */
export const traceparent = z.string().max(100);
