import type { ReactNode } from 'react';

/** Fields of a form that belong together. */
export function FieldGroup({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset className="flex min-w-0 flex-col gap-3">
      <legend className="mb-3 text-xs font-semibold tracking-wide text-ink-3 uppercase">{title}</legend>
      {children}
    </fieldset>
  );
}
