import { groupDigits } from './money.ts';

/** Divides a whole number in a string by a whole number, cut to `places` decimals. */
function divide(quantity: string, divisor: bigint, places: number): string {
  const scaled = (BigInt(quantity) * 10n ** BigInt(places)) / divisor;
  const digits = scaled.toString().padStart(places + 1, '0');
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '');
  return groupDigits(digits.slice(0, digits.length - places)) + (fraction === '' ? '' : `.${fraction}`);
}

const UNITS: Readonly<Record<string, { readonly divisor: bigint; readonly places: number; readonly unit: string }>> = {
  mvcpu_ms: { divisor: 1_000_000n, places: 3, unit: 'vCPU‑s' },
  mib_ms: { divisor: 1_024_000n, places: 3, unit: 'GiB‑s' },
  bytes: { divisor: 1_048_576n, places: 3, unit: 'MiB' },
};

/** A billed quantity for a person: vCPU-seconds, GiB-seconds, MiB; what is not known is shown as it came. */
export function billedQuantity(quantity: string, unit: string): string {
  if (!/^\d+$/.test(quantity)) return `${quantity} ${unit}`;
  const known = UNITS[unit];
  if (unit === 'requests') return requestsText(quantity);
  if (known === undefined) return `${groupDigits(quantity)} ${unit}`;
  return `${divide(quantity, known.divisor, known.places)} ${known.unit}`;
}

export const requestsText = (count: string): string =>
  `${groupDigits(count)} ${count === '1' ? 'request' : 'requests'}`;

const STEPS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function bytesText(bytes: number): string {
  let value = bytes;
  let step = 0;
  while (value >= 1024 && step < STEPS.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${step === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${STEPS[step] ?? ''}`;
}

/** A figure of a chart: few digits, never scientific. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  if (Math.abs(value) >= 1000) return groupDigits(Math.round(value).toString());
  if (Math.abs(value) >= 100) return value.toFixed(0);
  if (Math.abs(value) >= 10) return value.toFixed(1).replace(/\.0$/, '');
  return value.toFixed(2).replace(/\.?0+$/, '');
}

export function millisText(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  return ms < 1000 ? `${figure(ms)} ms` : `${figure(ms / 1000)} s`;
}
