import { readFileSync } from 'node:fs';
import { operatorEnvironment } from './environment.ts';
import type { Installation } from './installation.ts';

/** How the first administrator signs in. */
export interface Administrator {
  readonly email: string;
  readonly password: string;
  /** The operator chose the password, and knows it. */
  readonly chosen: boolean;
}

/**
 * The installation's own administrator, or the operator's, as identity is given it.
 * @throws Error when the file that SKYRUN_ADMIN_PASSWORD_FILE names cannot be read
 */
export function firstAdministrator(
  installation: Installation,
  environment: Readonly<Record<string, string | undefined>> = operatorEnvironment(),
): Administrator {
  const given = environment['SKYRUN_ADMIN_PASSWORD'] ?? fileOf(environment['SKYRUN_ADMIN_PASSWORD_FILE']);
  return {
    email: environment['SKYRUN_ADMIN_EMAIL'] ?? installation.adminEmail,
    password: given ?? installation.adminPassword,
    chosen: given !== undefined,
  };
}

function fileOf(path: string | undefined): string | undefined {
  return path === undefined ? undefined : readFileSync(path, 'utf8').replace(/\r?\n$/, '');
}
