import { type Budget, parseMoney } from '@skyrun/contracts';

/** How a budget stands, in one word. */
export function budgetState({ amount, forecast }: Pick<Budget, 'amount' | 'forecast'>): {
  tone: 'ok' | 'warn' | 'bad';
  text: string;
} {
  const limit = parseMoney(amount);
  if (parseMoney(forecast.spent) >= limit) return { tone: 'bad', text: 'Spent' };
  if (parseMoney(forecast.expected) >= limit) return { tone: 'warn', text: 'Expected to be passed' };
  return { tone: 'ok', text: 'On track' };
}
