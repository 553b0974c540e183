/** Quantities as Kubernetes writes them. Each reader answers null for what it cannot read. */

const SUFFIXES: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
};
const MIB = 1024 ** 2;

/** `500m`, `0.5`, `2` → thousandths of a CPU. */
export function parseCpu(quantity: string | number): number | null {
  const match = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)(m?)$/.exec(String(quantity));
  if (match === null) return null;
  const value = Number(match[1]);
  const milli = match[2] === 'm' ? value : Math.round(value * 1000);
  return Number.isInteger(milli) ? milli : null;
}

export function formatCpu(milli: number): string {
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`;
}

/** `512Mi`, `1G`, `134217728` → MiB, rounded up: never less than was asked for. */
export function parseMemory(quantity: string | number): number | null {
  const match = /^([0-9]{1,15}(?:\.[0-9]{1,3})?)([A-Za-z]{0,2})$/.exec(String(quantity));
  const factor = SUFFIXES[match?.[2] ?? ''];
  if (match === null || factor === undefined) return null;
  return Math.ceil((Number(match[1]) * factor) / MIB);
}

export function formatMemory(mib: number): string {
  return mib % 1024 === 0 ? `${mib / 1024}Gi` : `${mib}Mi`;
}

/** A Go duration of whole seconds: `60s`, `1m30s`, `1h` → seconds. */
export function parseDuration(duration: string): number | null {
  const match = /^(?:([0-9]{1,4})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,8})s)?$/.exec(duration);
  if (match === null || duration === '') return null;
  const [, hours = '0', minutes = '0', seconds = '0'] = match;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

export function formatDuration(seconds: number): string {
  return `${seconds}s`;
}
