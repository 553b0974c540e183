import type { ReactNode } from 'react';
import { ProblemNotice } from './problem-notice.tsx';
import { SkeletonRows } from './skeleton.tsx';

interface ListStateProps {
  /** What was asked for, as TanStack Query has it. */
  readonly list: { readonly error: Error | null; readonly refetch: () => unknown };
  /** undefined: not here yet. */
  readonly items: readonly unknown[] | undefined;
  /** Rows to draw while waiting. */
  readonly rows: number;
  readonly rowClassName?: string;
  /** What to do where there is none; left out where there is always one. */
  readonly empty?: ReactNode;
}

/** What a list in a flush panel shows instead of its items: why they cannot be read, that they come, or what to do about none. */
export function ListState({ list, items, rows, rowClassName, empty }: ListStateProps) {
  if (items !== undefined) return items.length === 0 ? empty : null;
  if (list.error === null) {
    return <SkeletonRows rows={rows} {...(rowClassName === undefined ? {} : { className: rowClassName })} />;
  }
  return (
    <div className="p-4">
      <ProblemNotice error={list.error} onRetry={list.refetch} />
    </div>
  );
}
