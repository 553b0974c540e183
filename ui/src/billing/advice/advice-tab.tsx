import { useQuery } from '@tanstack/react-query';
import { Lightbulb } from 'lucide-react';
import { useState } from 'react';
import { useApi } from '../../api/context.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Panel } from '../../components/panel.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Segments } from '../../components/segments.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { useProjectName } from '../../shell/place.ts';
import { adviceQuery, analysisQuery } from '../queries.ts';
import { IdleCost } from './idle-cost.tsx';
import { ModeComparison } from './mode-comparison.tsx';
import { RightSizingCard } from './right-sizing-card.tsx';

const DAYS = [
  { value: '1', label: 'Today' },
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
] as const;

export function AdviceTab() {
  const project = useProjectName();
  const api = useApi();
  const [days, setDays] = useState<(typeof DAYS)[number]['value']>('7');
  const analysis = useQuery(analysisQuery(api, project, { groupBy: 'service' }));
  const advice = useQuery(adviceQuery(api, project, Number(days)));
  return (
    <>
      <Panel
        title="Right-sizing"
        note="CPU and memory that instances really used, and the smallest size that leaves room above it."
        actions={<Segments label="Days" options={DAYS} value={days} onChange={setDays} />}
        flush
      >
        {advice.data === undefined &&
          (advice.error === null ? (
            <Skeleton className="m-4 h-40" />
          ) : (
            <div className="p-4">
              <ProblemNotice error={advice.error} onRetry={advice.refetch} />
            </div>
          ))}
        {advice.data?.rightSizing.length === 0 && (
          <EmptyState icon={Lightbulb} title="Nothing measured yet">
            A running instance is measured all the time; half an hour of it is enough for advice.
          </EmptyState>
        )}
        {advice.data?.rightSizing.map((one) => (
          <RightSizingCard key={one.service} sizing={one} currency={advice.data.currency} />
        ))}
      </Panel>
      {analysis.data === undefined ? (
        analysis.error === null ? (
          <Skeleton className="h-64 rounded-xl" />
        ) : (
          <ProblemNotice error={analysis.error} onRetry={analysis.refetch} />
        )
      ) : (
        <>
          <ModeComparison modes={analysis.data.modes} currency={analysis.data.currency} />
          <IdleCost analysis={analysis.data} />
        </>
      )}
    </>
  );
}
