import { type LogFilter, OPERATIONS } from '@skyrun/contracts';
import { useInfiniteQuery } from '@tanstack/react-query';
import { SearchX } from 'lucide-react';
import type { ReactNode } from 'react';
import { useApi } from '../api/context.ts';
import { Button } from '../components/button.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { ScrollRegion } from '../components/scroll-region.tsx';
import { Skeleton } from '../components/skeleton.tsx';
import { LOG_BOX } from './log-box.ts';
import { LogLineItem } from './log-line.tsx';

const PAGE = 200;

interface FoundLinesProps {
  readonly project: string;
  readonly service: string;
  readonly filter: LogFilter;
  readonly narrowed: boolean;
  readonly onInstance: (instanceId: string) => void;
  readonly reset: ReactNode;
}

/** Lines of a stretch of time, newest first, page by page. */
export function FoundLines({ project, service, filter, narrowed, onInstance, reset }: FoundLinesProps) {
  const api = useApi();
  const found = useInfiniteQuery({
    queryKey: ['logs', project, service, filter],
    queryFn: ({ signal, pageParam: cursor }) =>
      api.call(OPERATIONS.searchLogs, {
        params: { project, service },
        query: { ...filter, limit: PAGE, cursor },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    // Lines that are written do not change; a new look is a new question.
    staleTime: Number.POSITIVE_INFINITY,
  });
  const lines = found.data?.pages.flatMap(({ items }) => items) ?? [];
  const mark = filter.search?.toLowerCase() ?? '';
  if (found.error !== null) return <ProblemNotice error={found.error} onRetry={() => void found.refetch()} />;
  return (
    <ScrollRegion label="Log lines" className={LOG_BOX}>
      {found.isPending && (
        <div role="status" aria-label="Searching" className="flex flex-col gap-2 p-3">
          {['w-3/4', 'w-1/2', 'w-2/3', 'w-5/6'].map((width) => (
            <Skeleton key={width} className={`h-4 ${width}`} />
          ))}
        </div>
      )}
      {lines.length > 0 && (
        <ol>
          {lines.map((line, index) => (
            // Pages are only ever added at the end.
            // biome-ignore lint/suspicious/noArrayIndexKey: a line has no other identity
            <LogLineItem key={index} line={line} mark={mark} withDate onInstance={onInstance} />
          ))}
        </ol>
      )}
      {found.isSuccess && (
        <div className="flex flex-col items-center gap-3 p-4 font-sans text-sm text-ink-2">
          {lines.length === 0 && !found.hasNextPage && (
            <EmptyState
              icon={SearchX}
              title={narrowed ? 'No line matches' : 'Nothing was written in this time'}
              action={reset}
            >
              {narrowed
                ? 'Take a filter away, or look at a longer time.'
                : 'Lines are kept for as long as the operator has set; choose a longer time to see older ones.'}
            </EmptyState>
          )}
          {lines.length === 0 && found.hasNextPage && <p>Nothing matches so far; there is more to look through.</p>}
          {found.hasNextPage && (
            <Button size="sm" busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
              Older lines
            </Button>
          )}
          {lines.length > 0 && !found.hasNextPage && <p>That is all of this time.</p>}
        </div>
      )}
    </ScrollRegion>
  );
}
