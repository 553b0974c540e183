import { dnsLabel } from '@skyrun/contracts';
import { type ConfigOf, configTypes, defineConfig } from '@skyrun/kit';
import { z } from 'zod';

export const identityConfig = defineConfig('identity', {
  SKYRUN_KEY_SECRET: {
    schema: z.string().min(32, 'at least 32 characters'),
    doc: 'encrypts the private signing keys in the database; when it changes, new keys are made',
    secret: true,
  },
  SKYRUN_ADMIN_EMAIL: {
    schema: z.email().max(254).toLowerCase().optional(),
    doc: 'e-mail of the first administrator, created once at start; needs SKYRUN_ADMIN_PASSWORD',
  },
  SKYRUN_ADMIN_PASSWORD: {
    schema: z.string().min(10, 'at least 10 characters').max(200).optional(),
    doc: 'password of the first administrator; a later change here changes nothing',
    secret: true,
  },
  SKYRUN_FIRST_PROJECT: {
    schema: dnsLabel.optional(),
    doc: 'name of a project that is created once for the first administrator, e.g. demo',
  },
  SKYRUN_SIGNUP_ENABLED: {
    schema: configTypes.flag,
    default: 'true',
    doc: 'whether strangers may create an account',
  },
  SKYRUN_PROJECTS_PER_USER: {
    schema: configTypes.integer.min(0).max(100_000),
    default: '10',
    doc: 'how many projects a person may create, as each has its own free tier; administrators create any number',
  },
  SKYRUN_ACCESS_TOKEN_SECONDS: {
    schema: configTypes.integer.min(30).max(3600),
    default: '600',
    doc: 'life of an access token; a removed member keeps access for at most as long',
  },
  SKYRUN_SESSION_IDLE_DAYS: {
    schema: configTypes.integer.min(1).max(365),
    default: '14',
    doc: 'a session that is not refreshed for so long ends',
  },
  SKYRUN_SESSION_MAX_DAYS: {
    schema: configTypes.integer.min(1).max(3650),
    default: '60',
    doc: 'a session ends after so long in any case',
  },
  SKYRUN_KEY_ROTATION_DAYS: {
    schema: configTypes.integer.min(1).max(3650),
    default: '30',
    doc: 'a new signing key is made after so long; the old one is published until its last token has expired',
  },
});

export type IdentityConfig = ConfigOf<typeof identityConfig>;
