import { formatMoney, parseMoney, roundHalfEven } from '@skyrun/contracts';

/** The digits of an amount, split for typesetting. Only strings are cut: no amount passes through a float. */
export interface MoneyParts {
  readonly sign: '' | '−';
  readonly symbol: string;
  /** With thousands separators. */
  readonly whole: string;
  /** The two digits of the minor unit. */
  readonly minor: string;
  /** Digits beyond the minor unit, without needless zeros. */
  readonly rest: string;
}

const SYMBOLS: Readonly<Record<string, string>> = { USD: '$', EUR: '€', GBP: '£', JPY: '¥', CHF: 'CHF ' };

export function moneyParts(amount: string, currency: string): MoneyParts {
  const negative = amount.startsWith('-');
  const [whole = '0', fraction = ''] = (negative ? amount.slice(1) : amount).split('.');
  return {
    sign: negative ? '−' : '',
    symbol: SYMBOLS[currency] ?? `${currency} `,
    whole: groupDigits(whole),
    minor: fraction.slice(0, 2).padEnd(2, '0'),
    rest: fraction.slice(2).replace(/0+$/, ''),
  };
}

/** `12345678` → `12,345,678`. */
export function groupDigits(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** One string, all digits. */
export function moneyText(amount: string, currency: string): string {
  const { sign, symbol, whole, minor, rest } = moneyParts(amount, currency);
  return `${sign}${symbol}${whole}.${minor}${rest}`;
}

/** The amount rounded to two places: for what is estimated, where more digits would pretend. */
export const toCents = (amount: string): string => formatMoney(roundHalfEven(parseMoney(amount), 2));
