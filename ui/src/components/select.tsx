import { ChevronDown } from 'lucide-react';
import type { ComponentProps } from 'react';
import { classNames } from './class-names.ts';
import { inputStyle } from './input-style.ts';

/** The browser's own select: it opens as each device's people know it. */
export function Select({ className, ...select }: ComponentProps<'select'>) {
  return (
    <span className={classNames('relative flex', className)}>
      <select className={classNames(inputStyle, 'appearance-none pr-8')} {...select} />
      <ChevronDown aria-hidden className="pointer-events-none absolute top-2.5 right-2.5 size-4 text-ink-3" />
    </span>
  );
}
