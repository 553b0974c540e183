import { type Budget, OPERATIONS, type Problem } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { toProblem } from '../../api/problems.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { billingKeys } from '../queries.ts';

interface DeleteBudgetProps {
  readonly project: string;
  readonly budget: Budget;
  readonly onClose: () => void;
}

export function DeleteBudget({ project, budget, onClose }: DeleteBudgetProps) {
  const api = useApi();
  const queries = useQueryClient();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  async function remove() {
    setBusy(true);
    try {
      await api.call(OPERATIONS.deleteBudget, { params: { project, budgetId: budget.id } });
      toast(`Budget ${budget.name} was deleted.`);
      await queries.invalidateQueries({ queryKey: billingKeys.budgets(project) });
      onClose();
    } catch (error) {
      setProblem(toProblem(error));
      setBusy(false);
    }
  }
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={`Delete budget ${budget.name}?`}
      description={
        budget.capReached
          ? 'Its hard cap holds the project now: deleting it lets the services run again.'
          : 'Nobody is told about its thresholds any more; alerts that were given stay in the list.'
      }
    >
      <div className="flex flex-col gap-4">
        {problem !== null && <ProblemNotice error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Keep</Button>
          <Button tone="danger" busy={busy} onClick={() => void remove()}>
            Delete budget
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
