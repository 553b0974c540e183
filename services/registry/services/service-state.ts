import type { Instance } from '@skyrun/contracts';
import type { Pause } from '../store/paused.ts';
import type { RevisionRow, RolloutRow, RoutedTarget, ServiceRow } from '../store/tables.ts';

/** A service that exists, with all that its status, its route and its wants are derived from. */
export interface ServiceState {
  readonly service: ServiceRow;
  /** The latest created revision. */
  readonly newest: RevisionRow;
  /** The latest ready revision; null until a first one is ready. */
  readonly ready: RevisionRow | null;
  /** Who has the traffic, with its revision; empty until a first one is ready. */
  readonly routed: readonly (RoutedTarget & { readonly revision: RevisionRow })[];
  /** Revisions that get traffic once an instance of them is ready. */
  readonly warming: readonly RevisionRow[];
  /** The last rollout to the latest ready revision. */
  readonly rollout: RolloutRow | null;
  /** Its project's pause; absent while it may run. */
  readonly paused?: Pause | undefined;
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

/** The host of one tag of a service. */
export function tagHostOf(service: { project: string; name: string }, tag: string, address: PublicAddress): string {
  return `${tag}---${hostOf(service, address)}`;
}

export function urlOf(service: { project: string; name: string }, address: PublicAddress): string {
  return urlAt(hostOf(service, address), address);
}

export function tagUrlOf(service: { project: string; name: string }, tag: string, address: PublicAddress): string {
  return urlAt(tagHostOf(service, tag, address), address);
}

export function urlAt(host: string, { scheme, port }: PublicAddress): string {
  return `${scheme}://${host}${port === '' ? '' : `:${port}`}`;
}
