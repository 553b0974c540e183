import { type Budget, OPERATIONS } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { billingKeys } from '../queries.ts';

interface DeleteBudgetProps {
  readonly project: string;
  readonly budget: Budget;
  readonly onClose: () => void;
}

export function DeleteBudget({ project, budget, onClose }: DeleteBudgetProps) {
  const api = useApi();
  const queries = useQueryClient();
  return (
    <ConfirmDialog
      title={`Delete budget ${budget.name}?`}
      description={
        budget.capReached
          ? 'Its hard cap holds the project now: deleting it lets the services run again.'
          : 'Nobody is told about its thresholds any more; alerts that were given stay in the list.'
      }
      action="Delete budget"
      onConfirm={async () => {
        await api.call(OPERATIONS.deleteBudget, { params: { project, budgetId: budget.id } });
        toast(`Budget ${budget.name} was deleted.`);
        await queries.invalidateQueries({ queryKey: billingKeys.budgets(project) });
      }}
      onClose={onClose}
    />
  );
}
