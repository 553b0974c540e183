import { useRouterState } from '@tanstack/react-router';
import { type RefObject, useEffect, useRef } from 'react';

/** For a strip of tabs that may be wider than the screen: scrolls to the tab of the page that is shown. */
export function useShownTab(): RefObject<HTMLElement | null> {
  const strip = useRef<HTMLElement>(null);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page has another tab.
  useEffect(() => {
    const tab = strip.current?.querySelector('[aria-current="page"]');
    tab?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [path]);
  return strip;
}
