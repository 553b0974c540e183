import { useQuery } from '@tanstack/react-query';
import { Lightbulb } from 'lucide-react';
import { useApi } from '../../api/context.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Panel } from '../../components/panel.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { useProjectName } from '../../shell/place.ts';
import { analysisQuery } from '../queries.ts';
import { ModeComparison } from './mode-comparison.tsx';

export function AdviceTab() {
  const project = useProjectName();
  const { data, error, refetch } = useQuery(analysisQuery(useApi(), project, { groupBy: 'service' }));
  if (data === undefined) {
    return error === null ? (
      <Skeleton className="h-64 rounded-xl" />
    ) : (
      <ProblemNotice error={error} onRetry={refetch} />
    );
  }
  if (data.modes.length === 0) {
    return (
      <Panel>
        <EmptyState icon={Lightbulb} title="No advice yet">
          Advice needs instances that ran and were measured; look again after some traffic.
        </EmptyState>
      </Panel>
    );
  }
  return <ModeComparison modes={data.modes} currency={data.currency} />;
}
