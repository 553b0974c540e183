import type { ComponentProps } from 'react';
import { classNames } from './class-names.ts';
import { ScrollRegion } from './scroll-region.tsx';

/** A table that scrolls sideways inside its panel on a narrow screen, with what only screen readers see of it. */
export function Table({ label, className, ...table }: ComponentProps<'table'> & { label: string }) {
  return (
    <ScrollRegion className="relative overflow-x-auto" label={label}>
      <table className={classNames('w-full border-collapse text-left', className)} {...table} />
    </ScrollRegion>
  );
}

export function HeadCell({ className, ...cell }: ComponentProps<'th'>) {
  return (
    <th
      scope="col"
      className={classNames(
        'border-b border-line px-4 py-2 text-xs font-medium whitespace-nowrap text-ink-3',
        className,
      )}
      {...cell}
    />
  );
}

export function Cell({ className, ...cell }: ComponentProps<'td'>) {
  return <td className={classNames('border-b border-line px-4 py-2.5 align-middle', className)} {...cell} />;
}
