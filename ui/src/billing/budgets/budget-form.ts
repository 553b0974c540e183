import type { Budget, BudgetSpec } from '@skyrun/contracts';

/** What the form holds; numbers as people type them. */
export interface BudgetForm {
  readonly name: string;
  readonly amount: string;
  readonly hardCap: boolean;
  readonly thresholds: readonly { readonly key: number; readonly percent: string; readonly basis: Basis }[];
}
export type Basis = BudgetSpec['thresholds'][number]['basis'];

export function formOf(budget: Budget | null): BudgetForm {
  if (budget === null) {
    return {
      name: '',
      amount: '',
      hardCap: false,
      thresholds: [
        { key: 1, percent: '80', basis: 'actual' },
        { key: 2, percent: '100', basis: 'actual' },
        { key: 3, percent: '100', basis: 'forecast' },
      ],
    };
  }
  const { name, amount, hardCap, thresholds } = budget;
  return {
    name,
    amount,
    hardCap,
    thresholds: thresholds.map(({ percent, basis }, index) => ({ key: index + 1, percent: String(percent), basis })),
  };
}

/** What is sent; a percentage that is no number becomes NaN, which the schema refuses at its field. */
export function specOf({ name, amount, hardCap, thresholds }: BudgetForm): BudgetSpec {
  return {
    name: name.trim(),
    amount: amount.trim().replace(',', '.'),
    hardCap,
    thresholds: thresholds.map(({ percent, basis }) => ({
      percent: percent.trim() === '' ? Number.NaN : Number(percent),
      basis,
    })),
  };
}

export function withThreshold(form: BudgetForm): BudgetForm {
  const key = Math.max(0, ...form.thresholds.map((threshold) => threshold.key)) + 1;
  return { ...form, thresholds: [...form.thresholds, { key, percent: '50', basis: 'actual' }] };
}
