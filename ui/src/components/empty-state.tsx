import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { Command } from './command.tsx';

interface EmptyStateProps {
  readonly icon: LucideIcon;
  readonly title: string;
  /** What to do next. */
  readonly children: ReactNode;
  readonly action?: ReactNode;
  /** The command line's way to the same. */
  readonly command?: string;
}

export function EmptyState({ icon: Icon, title, children, action, command }: EmptyStateProps) {
  return (
    <div className="flex flex-col items-center gap-3 px-4 py-12 text-center">
      <span className="flex size-11 items-center justify-center rounded-xl border border-line bg-sunken text-ink-2">
        <Icon aria-hidden className="size-5" />
      </span>
      <div className="flex max-w-md flex-col gap-1">
        <p className="font-semibold">{title}</p>
        <p className="text-ink-2">{children}</p>
      </div>
      {action}
      {command !== undefined && <Command>{command}</Command>}
    </div>
  );
}
