import { type ReactNode, useId } from 'react';
import { classNames } from './class-names.ts';

interface PanelProps {
  readonly title?: ReactNode;
  readonly note?: ReactNode;
  readonly actions?: ReactNode;
  readonly className?: string;
  readonly flush?: boolean;
  readonly children: ReactNode;
}

/** A titled surface; `flush` lets a table or list reach its edges. */
export function Panel({ title, note, actions, className, flush = false, children }: PanelProps) {
  const id = useId();
  return (
    <section
      className={classNames(
        'relative min-w-0 overflow-hidden rounded-xl border border-line bg-surface shadow-panel',
        className,
      )}
      {...(title === undefined ? {} : { 'aria-labelledby': id })}
    >
      {title !== undefined && (
        <header className="flex min-h-12 flex-wrap items-center justify-between gap-x-4 gap-y-2 border-b border-line px-4 py-2">
          <div className="min-w-0">
            <h2 id={id} className="text-sm font-semibold">
              {title}
            </h2>
            {note !== undefined && <p className="text-xs text-ink-3">{note}</p>}
          </div>
          {actions}
        </header>
      )}
      <div className={flush ? '' : 'p-4'}>{children}</div>
    </section>
  );
}
