import { useRouterState } from '@tanstack/react-router';
import { Children, type ReactNode, useEffect, useRef } from 'react';

/** For the link of one tab. */
export const tabStyle =
  'relative flex h-10 items-center gap-1.5 px-3 font-medium whitespace-nowrap text-ink-3 -outline-offset-2 transition-colors hover:text-ink aria-[current=page]:text-ink aria-[current=page]:after:absolute aria-[current=page]:after:inset-x-3 aria-[current=page]:after:bottom-0 aria-[current=page]:after:h-0.5 aria-[current=page]:after:rounded-full aria-[current=page]:after:bg-accent';

/**
 * The pages of a place, side by side; `children` are list items with a link each.
 * Links and not ARIA tabs: each has an address of its own, and back goes back.
 */
export function TabStrip({ label, children }: { label: string; children: ReactNode }) {
  const strip = useRef<HTMLElement>(null);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const tabs = Children.count(children);
  // The strip may be wider than the screen, or become so.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page has another tab, and some tabs come when roles are known.
  useEffect(() => {
    const shown = strip.current;
    if (shown === null) return;
    const resized = new ResizeObserver(() =>
      shown.querySelector('[aria-current="page"]')?.scrollIntoView({ block: 'nearest', inline: 'center' }),
    );
    // The list grows when its font has come.
    for (const element of [shown, ...shown.children]) resized.observe(element);
    return () => resized.disconnect();
  }, [path, tabs]);
  return (
    <nav
      ref={strip}
      aria-label={label}
      data-tab-strip
      className="-mx-4 overflow-x-auto border-b border-line px-4 sm:mx-0 sm:px-0"
    >
      <ul className="flex w-max min-w-full gap-1">{children}</ul>
    </nav>
  );
}
