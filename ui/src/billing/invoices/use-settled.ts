import type { Invoice } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { keys } from '../../api/queries.ts';
import { billingKeys } from '../queries.ts';

/** Reads again what changes when something happened to an invoice. */
export function useSettled({ project }: Pick<Invoice, 'project'>): () => Promise<unknown> {
  const queries = useQueryClient();
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: keys.invoices(project) }),
      queries.invalidateQueries({ queryKey: billingKeys.ledger(project) }),
    ]);
}
