import { type ConfigOf, configTypes, defineConfig } from '@skyrun/kit';
import { z } from 'zod';
import { type ArchiveLimits, DEFAULT_LIMITS } from './images/archive/limits.ts';

const bytes = configTypes.integer.min(1).max(Number.MAX_SAFE_INTEGER);
const count = configTypes.integer.min(1).max(1_000_000_000);

export const registryConfig = defineConfig('registry', {
  SKYRUN_DATA_DIR: {
    schema: configTypes.text,
    default: '.skyrun',
    doc: 'folder of what Skyrun keeps; uploads are spooled in its uploads/ while they are validated',
  },
  SKYRUN_ORCHESTRATOR_URL: { schema: configTypes.url, doc: 'address of the orchestrator, which imports images' },
  SKYRUN_INTERNAL_TOKEN: {
    schema: configTypes.text,
    doc: 'shared secret of the platform’s own parts, for handing images to the orchestrator',
    secret: true,
  },
  SKYRUN_IDENTITY_URL: {
    schema: configTypes.url,
    doc: 'address of identity, which knows the projects that are shown as namespaces',
  },
  SKYRUN_KUBERNETES_KEPT_CHANGES: {
    schema: configTypes.integer.min(10).max(1_000_000),
    default: '5000',
    doc: 'changes of the API in Kubernetes’ shape that are kept for watchers which come back; older versions answer 410',
  },
  SKYRUN_KUBERNETES_BOOKMARK_SECONDS: {
    schema: configTypes.integer.min(1).max(3600),
    default: '60',
    doc: 'seconds between two bookmarks of a watch in Kubernetes’ shape',
  },
  SKYRUN_BASE_DOMAIN: {
    schema: z.string().min(1).toLowerCase(),
    default: 'localhost',
    doc: 'domain under which services answer, as <service>.<project>.<base domain>',
  },
  SKYRUN_PUBLIC_URL: {
    schema: configTypes.url,
    default: 'http://localhost:8080',
    doc: 'where people reach Skyrun; its scheme and port are those of the services’ URLs',
  },
  SKYRUN_DNS_RESOLVER: {
    schema: z
      .string()
      .regex(
        /^(\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?|[0-9a-f:]+)$/i,
        'expected an address, or address:port',
      )
      .optional(),
    doc: 'DNS server that is asked for the proofs of domains; default: those of the machine',
  },
  SKYRUN_PROJECT_DOMAINS: {
    schema: configTypes.integer.min(0).max(1_000_000),
    default: '100',
    doc: 'domains of its own that a project may have, proved or not; each is looked for in the DNS again and again',
  },
  SKYRUN_IMAGE_PLATFORM: {
    schema: z.string().regex(/^[a-z0-9]+\/[a-z0-9]+$/, 'expected os/architecture, e.g. linux/amd64'),
    default: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
    doc: 'platform that the container engine runs; images for another one are refused',
  },
  SKYRUN_SECRETS_KEY: {
    schema: z.string().min(32, 'at least 32 characters'),
    doc: 'encrypts the values of secrets in the database; to change it, give the old one as SKYRUN_SECRETS_PREVIOUS_KEY once',
    secret: true,
  },
  SKYRUN_SECRETS_PREVIOUS_KEY: {
    schema: z.string().min(32, 'at least 32 characters').optional(),
    doc: 'the SKYRUN_SECRETS_KEY of before; at start all values are encrypted anew, after which it is not needed',
    secret: true,
  },
  SKYRUN_RETAINED_REVISIONS: {
    schema: configTypes.integer.min(1).max(10_000),
    default: '100',
    doc: 'revisions kept of a service; older ones that nothing refers to are forgotten when a new one is made',
  },
  SKYRUN_REVISION_LINGER_SECONDS: {
    schema: configTypes.integer.min(0).max(3600),
    default: '60',
    doc: 'how long a revision that lost its traffic goes on as if it had some, so that a way back needs no cold start',
  },
  SKYRUN_UPLOAD_CONCURRENCY: {
    schema: configTypes.integer.min(1).max(100),
    default: '4',
    doc: 'image uploads at once, all but one of them for one project; more are answered 503 with Retry-After',
  },
  SKYRUN_UPLOAD_IDLE_SECONDS: {
    schema: configTypes.integer.min(1).max(3600),
    default: '60',
    doc: 'an upload of which nothing comes for so long, or for so long in all less than 16 KiB/s, is cut off',
  },
  SKYRUN_UPLOAD_MAX_BYTES: {
    schema: bytes,
    default: String(DEFAULT_LIMITS.maxUploadBytes),
    doc: 'largest image upload, in bytes as sent',
  },
  SKYRUN_UPLOAD_MAX_ARCHIVE_BYTES: {
    schema: bytes,
    default: String(DEFAULT_LIMITS.maxArchiveBytes),
    doc: 'largest image archive, in bytes without its outer compression',
  },
  SKYRUN_UPLOAD_MAX_UNPACKED_BYTES: {
    schema: bytes,
    default: String(DEFAULT_LIMITS.maxUnpackedBytes),
    doc: 'most bytes that the layers of an image may unpack to',
  },
  SKYRUN_UPLOAD_MAX_ENTRY_BYTES: {
    schema: bytes,
    default: String(DEFAULT_LIMITS.maxEntryBytes),
    doc: 'largest file in an image or its archive, in bytes',
  },
  SKYRUN_UPLOAD_MAX_ENTRIES: {
    schema: count,
    default: String(DEFAULT_LIMITS.maxEntries),
    doc: 'most entries of an image archive',
  },
  SKYRUN_UPLOAD_MAX_LAYER_ENTRIES: {
    schema: count,
    default: String(DEFAULT_LIMITS.maxLayerEntries),
    doc: 'most entries of all layers of an image together',
  },
  SKYRUN_UPLOAD_MAX_RATIO: {
    schema: configTypes.integer.min(2).max(1_000_000),
    default: String(DEFAULT_LIMITS.maxRatio),
    doc: 'how many times its size compressed data may unpack to, beyond SKYRUN_UPLOAD_RATIO_FREE_BYTES',
  },
  SKYRUN_UPLOAD_RATIO_FREE_BYTES: {
    schema: bytes,
    default: String(DEFAULT_LIMITS.ratioFreeBytes),
    doc: 'unpacked bytes below which SKYRUN_UPLOAD_MAX_RATIO does not count',
  },
  SKYRUN_UPLOAD_MIN_FREE_BYTES: {
    schema: bytes,
    default: String(DEFAULT_LIMITS.minFreeBytes),
    doc: 'bytes that uploads must leave free on the disk',
  },
});

export type RegistryConfig = ConfigOf<typeof registryConfig>;

export function archiveLimits(config: RegistryConfig): ArchiveLimits {
  return {
    maxUploadBytes: config.SKYRUN_UPLOAD_MAX_BYTES,
    maxArchiveBytes: config.SKYRUN_UPLOAD_MAX_ARCHIVE_BYTES,
    maxUnpackedBytes: config.SKYRUN_UPLOAD_MAX_UNPACKED_BYTES,
    maxEntryBytes: config.SKYRUN_UPLOAD_MAX_ENTRY_BYTES,
    maxEntries: config.SKYRUN_UPLOAD_MAX_ENTRIES,
    maxLayers: DEFAULT_LIMITS.maxLayers,
    maxLayerEntries: config.SKYRUN_UPLOAD_MAX_LAYER_ENTRIES,
    maxRatio: config.SKYRUN_UPLOAD_MAX_RATIO,
    ratioFreeBytes: config.SKYRUN_UPLOAD_RATIO_FREE_BYTES,
    minFreeBytes: config.SKYRUN_UPLOAD_MIN_FREE_BYTES,
  };
}
