import type { Instance } from '@skyrun/contracts';
import type { RevisionRow, ServiceRow } from '../store/tables.ts';

/** A service that exists, with all that its status, its route and its wants are derived from. */
export interface ServiceState {
  readonly service: ServiceRow;
  /** The latest created revision. */
  readonly newest: RevisionRow;
  /** The latest ready revision, which has the traffic; null until a first one is ready. */
  readonly ready: RevisionRow | null;
  /** Starting, ready and draining ones, of all its revisions. */
  readonly instances: readonly Instance[];
}

/** Where tenants' services answer. */
export interface PublicAddress {
  readonly baseDomain: string;
  readonly scheme: string;
  /** Empty where it is the scheme's own. */
  readonly port: string;
}

export function publicAddress(publicUrl: string, baseDomain: string): PublicAddress {
  const { protocol, port } = new URL(publicUrl);
  return { baseDomain: baseDomain.toLowerCase(), scheme: protocol.slice(0, -1), port };
}

export function hostOf(service: { project: string; name: string }, { baseDomain }: PublicAddress): string {
  return `${service.name}.${service.project}.${baseDomain}`;
}

export function urlOf(service: { project: string; name: string }, address: PublicAddress): string {
  const port = address.port === '' ? '' : `:${address.port}`;
  return `${address.scheme}://${hostOf(service, address)}${port}`;
}
