export const inputStyle =
  'h-9 w-full rounded-lg border border-line-strong/60 bg-surface px-3 text-sm text-ink placeholder:text-ink-3 transition-colors hover:border-line-strong aria-invalid:border-bad disabled:opacity-60';
