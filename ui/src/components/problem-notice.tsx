import { TriangleAlert } from 'lucide-react';
import { plainMessage, toProblem } from '../api/problems.ts';
import { Button } from './button.tsx';

/** An error in full: what, why, its code, and a way on. */
export function ProblemNotice({ error, onRetry }: { error: unknown; onRetry?: () => unknown }) {
  const problem = toProblem(error);
  return (
    <div role="alert" className="flex gap-3 rounded-xl border border-bad/40 bg-bad-soft p-4 text-bad-ink">
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="flex min-w-0 flex-1 flex-col gap-1">
        <p className="font-semibold">{problem.title}</p>
        {problem.detail !== undefined && problem.detail !== problem.title && (
          <p className="break-words">{problem.detail}</p>
        )}
        {problem.errors.length > 0 && (
          <ul className="list-disc pl-4">
            {problem.errors.map(({ field, message }) => (
              <li key={`${field} ${message}`}>
                <code className="font-mono text-xs">{field}</code>: {plainMessage(message)}
              </li>
            ))}
          </ul>
        )}
        {problem.retryAfterSeconds !== undefined && <p>Try again in {problem.retryAfterSeconds} s.</p>}
        <p className="font-mono text-xs">{problem.code}</p>
      </div>
      {onRetry !== undefined && (
        <Button size="sm" onClick={() => void onRetry()}>
          Try again
        </Button>
      )}
    </div>
  );
}
