import type { ComponentProps } from 'react';

/** A named region that scrolls; it takes the focus, because a keyboard could not scroll it otherwise. */
export function ScrollRegion({ label, ...section }: ComponentProps<'section'> & { label: string }) {
  // biome-ignore lint/a11y/noNoninteractiveTabindex: WCAG 2.1.1 wants scrollable content reachable by keyboard
  return <section aria-label={label} tabIndex={0} {...section} />;
}
