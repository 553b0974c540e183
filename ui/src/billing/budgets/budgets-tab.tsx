import type { Budget } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { PiggyBank } from 'lucide-react';
import { useState } from 'react';
import { useApi } from '../../api/context.ts';
import { Button } from '../../components/button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ListState } from '../../components/list-state.tsx';
import { Panel } from '../../components/panel.tsx';
import { useMay } from '../../shell/permissions.ts';
import { useProjectName } from '../../shell/place.ts';
import { budgetsQuery } from '../queries.ts';
import { AlertList } from './alert-list.tsx';
import { BudgetDialog } from './budget-dialog.tsx';
import { BudgetRow } from './budget-row.tsx';
import { DeleteBudget } from './delete-budget.tsx';

type Doing = { readonly what: 'create' } | { readonly what: 'edit' | 'delete'; readonly budget: Budget } | null;

export function BudgetsTab() {
  const project = useProjectName();
  const list = useQuery(budgetsQuery(useApi(), project));
  const { data } = list;
  const manages = useMay(project)('billing.manage');
  const [doing, setDoing] = useState<Doing>(null);
  const create = manages && (
    <Button tone="solid" size="sm" onClick={() => setDoing({ what: 'create' })}>
      Create budget
    </Button>
  );
  return (
    <>
      <Panel
        title="Budgets"
        note="Per calendar month (UTC), after the free tier."
        actions={data !== undefined && data.items.length > 0 && create}
        flush
      >
        <ListState
          list={list}
          items={data?.items}
          rows={2}
          rowClassName="h-24"
          empty={
            <EmptyState icon={PiggyBank} title="No budget yet" action={create}>
              A budget tells you when the month’s cost, or its forecast, passes what you set, and can stop the spending.
            </EmptyState>
          }
        />
        <ul aria-label="Budgets">
          {data?.items.map((budget) => (
            <BudgetRow
              key={budget.id}
              budget={budget}
              onEdit={manages ? () => setDoing({ what: 'edit', budget }) : null}
              onDelete={manages ? () => setDoing({ what: 'delete', budget }) : null}
            />
          ))}
        </ul>
      </Panel>
      <AlertList project={project} />
      {doing !== null && doing.what !== 'delete' && (
        <BudgetDialog
          project={project}
          budget={doing.what === 'edit' ? doing.budget : null}
          onClose={() => setDoing(null)}
        />
      )}
      {doing?.what === 'delete' && (
        <DeleteBudget project={project} budget={doing.budget} onClose={() => setDoing(null)} />
      )}
    </>
  );
}
