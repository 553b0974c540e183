import { classNames } from './class-names.ts';

/** Takes the place of what is loading, in its size, so that nothing jumps. */
export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden className={classNames('block animate-pulse rounded-md bg-hover', className)} />;
}

export function SkeletonRows({ rows, className = 'h-14' }: { rows: number; className?: string }) {
  return (
    <div role="status" aria-label="Loading" className="divide-y divide-line">
      {Array.from({ length: rows }, (_, row) => `row-${row}`).map((key) => (
        <div key={key} className={classNames('flex items-center gap-4 px-4', className)}>
          <Skeleton className="h-4 w-1/4" />
          <Skeleton className="h-4 w-1/3" />
          <Skeleton className="ml-auto h-4 w-16" />
        </div>
      ))}
    </div>
  );
}
