import { type Budget, OPERATIONS } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { Plus, X } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { makeIdempotencyKey } from '../../api/idempotency.ts';
import { fieldMessage } from '../../api/problems.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { CheckField } from '../../components/check-field.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { TextField } from '../../components/field.tsx';
import { inputStyle } from '../../components/input-style.ts';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Select } from '../../components/select.tsx';
import { billingKeys } from '../queries.ts';
import { type Basis, type BudgetForm, formOf, specOf, withThreshold } from './budget-form.ts';

interface BudgetDialogProps {
  readonly project: string;
  /** Null to create one. */
  readonly budget: Budget | null;
  readonly onClose: () => void;
}

export function BudgetDialog({ project, budget, onClose }: BudgetDialogProps) {
  const api = useApi();
  const queries = useQueryClient();
  const [form, setForm] = useState<BudgetForm>(() => formOf(budget));
  // One per opening: sending again after a lost answer creates one budget.
  const [key] = useState(makeIdempotencyKey);

  const { busy, problem, submit } = useAction(async () => {
    const body = specOf(form);
    if (budget === null) {
      await api.call(OPERATIONS.createBudget, { params: { project }, body, headers: { 'idempotency-key': key } });
    } else await api.call(OPERATIONS.replaceBudget, { params: { project, budgetId: budget.id }, body });
    toast(budget === null ? `Budget ${body.name} watches ${project}.` : `Budget ${body.name} was changed.`);
    await queries.invalidateQueries({ queryKey: billingKeys.budgets(project) });
    onClose();
  });

  const nameError =
    fieldMessage(problem, '/name') ??
    (problem?.code === 'resource.already_exists' ? 'Another budget of this project has this name.' : undefined);
  const amountError = fieldMessage(problem, '/amount');
  const thresholdErrors = form.thresholds.map((_, index) => fieldMessage(problem, `/thresholds/${index}/percent`));
  const shownAtField = [nameError, amountError, ...thresholdErrors].some((message) => message !== undefined);
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={budget === null ? 'Create budget' : `Edit ${budget.name}`}
      description="What the project may cost in a calendar month, and when to tell you."
    >
      <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
        <div className="grid items-start gap-4 sm:grid-cols-2">
          <TextField
            label="Name"
            value={form.name}
            error={nameError}
            onChange={(event) => setForm({ ...form, name: event.target.value })}
          />
          <TextField
            label="Amount per month"
            inputMode="decimal"
            placeholder="100.00"
            value={form.amount}
            error={amountError}
            hint="In the currency of the price list."
            onChange={(event) => setForm({ ...form, amount: event.target.value })}
          />
        </div>
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-1.5 text-[0.8125rem] font-medium">Tell us at</legend>
          {form.thresholds.map((threshold, index) => (
            <Threshold
              key={threshold.key}
              number={index + 1}
              percent={threshold.percent}
              basis={threshold.basis}
              error={thresholdErrors[index]}
              onChange={(change) =>
                setForm({
                  ...form,
                  thresholds: form.thresholds.map((one) => (one.key === threshold.key ? { ...one, ...change } : one)),
                })
              }
              onRemove={() =>
                setForm({ ...form, thresholds: form.thresholds.filter((one) => one.key !== threshold.key) })
              }
            />
          ))}
          <Button
            size="sm"
            tone="ghost"
            className="self-start"
            disabled={form.thresholds.length >= 20}
            onClick={() => setForm(withThreshold(form))}
          >
            <Plus aria-hidden />
            Add threshold
          </Button>
        </fieldset>
        <CheckField
          label="Hard cap: stop at this amount"
          hint="When the actual cost reaches the amount, all services of the project are paused and callers get a page that says so. A few seconds of spending can come on top. It ends with the month, or when you raise the amount."
          checked={form.hardCap}
          onChange={(hardCap) => setForm({ ...form, hardCap })}
        />
        {problem !== null && !shownAtField && <ProblemNotice error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="solid" busy={busy}>
            {budget === null ? 'Create budget' : 'Save budget'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface ThresholdProps {
  readonly number: number;
  readonly percent: string;
  readonly basis: Basis;
  readonly error: string | undefined;
  readonly onChange: (change: { percent: string } | { basis: Basis }) => void;
  readonly onRemove: () => void;
}

function Threshold({ number, percent, basis, error, onChange, onRemove }: ThresholdProps) {
  const noteId = `threshold-${number}-note`;
  return (
    <div>
      <div className="flex items-center gap-2">
        <span className="relative w-24">
          <input
            aria-label={`Threshold ${number} percent`}
            inputMode="numeric"
            className={`${inputStyle} pr-7 text-right`}
            value={percent}
            {...(error === undefined ? {} : { 'aria-invalid': true, 'aria-describedby': noteId })}
            onChange={(event) => onChange({ percent: event.target.value })}
          />
          <span aria-hidden className="absolute top-2 right-2.5 text-ink-3">
            %
          </span>
        </span>
        <Select
          aria-label={`Threshold ${number} of`}
          className="flex-1"
          value={basis}
          onChange={(event) => onChange({ basis: event.target.value === 'forecast' ? 'forecast' : 'actual' })}
        >
          <option value="actual">is spent</option>
          <option value="forecast">is expected</option>
        </Select>
        <Button tone="ghost" size="icon" aria-label={`Remove threshold ${number}`} onClick={onRemove}>
          <X aria-hidden />
        </Button>
      </div>
      {error !== undefined && (
        <p id={noteId} className="mt-1 text-xs font-medium text-bad-ink">
          {error}
        </p>
      )}
    </div>
  );
}
