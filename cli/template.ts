import type { EnvironmentVariable } from '@skyrun/contracts';
import { UsageError } from './command.ts';

/** `1`, `0.5` or `500m` → thousandths of a virtual CPU. */
export function parseCpu(text: string): number {
  const milli = /^(\d+)m$/.exec(text);
  const value = milli ? Number(milli[1]) : Math.round(Number(text) * 1000);
  if (!(value > 0)) throw new UsageError(`--cpu ${text}: expected e.g. 1, 0.5 or 500m`);
  return value;
}

/** `NAME=secret[:version]` pairs, in the order given. */
export function parseSecretVariables(pairs: readonly string[]): EnvironmentVariable[] {
  return pairs.map((pair) => {
    const match = /^([^=]+)=([^:]+)(?::([^:]+))?$/.exec(pair);
    if (match?.[1] === undefined || match[2] === undefined) {
      throw new UsageError(`--secret ${pair}: expected NAME=secret or NAME=secret:version`);
    }
    return { name: match[1], valueFrom: { secretKeyRef: { name: match[2], key: match[3] ?? 'latest' } } };
  });
}

/** `512Mi`, `1Gi` or a number of MiB → MiB. */
export function parseMemory(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(Mi|Gi)?$/.exec(text);
  const value = match ? Number(match[1]) * (match[2] === 'Gi' ? 1024 : 1) : 0;
  if (!(value > 0)) throw new UsageError(`--memory ${text}: expected e.g. 512Mi or 1Gi`);
  return Math.round(value);
}

/** `NAME=value` pairs, in the order given. */
export function parseEnvironment(pairs: readonly string[]): { name: string; value: string }[] {
  return pairs.map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`--env ${pair}: expected NAME=value`);
    return { name: pair.slice(0, at), value: pair.slice(at + 1) };
  });
}

export function parseWhole(text: string, flag: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError(`${flag} ${text}: expected a whole number`);
  return Number(text);
}

/** A service name from a file or image name: `build/My_App.tar.gz` → `my-app`, `team/web:v2` → `web`. */
export function serviceNameFrom(source: string): string {
  const base = source.split('/').pop() ?? '';
  const bare = base.replace(/\.(tar|tgz|oci|gz)\b/g, '').replace(/[:@].*$/, '');
  const label = bare
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 40);
  if (label === '') throw new UsageError(`no service name can be made of ${source}; give --name`);
  return label;
}
