import type { ReactNode } from 'react';

interface CheckFieldProps {
  readonly label: string;
  readonly hint: ReactNode;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

/** A choice of yes or no, with what it means. */
export function CheckField({ label, hint, checked, onChange }: CheckFieldProps) {
  return (
    <label className="flex gap-3 rounded-xl border border-line bg-sunken p-3">
      <input
        type="checkbox"
        className="mt-0.5 size-4 accent-accent"
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span>
        <span className="font-medium">{label}</span>
        <span className="mt-0.5 block text-[0.8125rem] text-ink-2">{hint}</span>
      </span>
    </label>
  );
}
