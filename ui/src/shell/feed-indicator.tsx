import { classNames } from '../components/class-names.ts';
import type { FeedState } from '../live/feed.ts';
import { useFeedState } from '../live/provider.tsx';

const SAYS: Readonly<Record<FeedState, { text: string; dot: string }>> = {
  connecting: { text: 'Connecting…', dot: 'bg-line-strong animate-pulse-slow' },
  live: { text: 'Live', dot: 'bg-ok' },
  reconnecting: { text: 'Reconnecting…', dot: 'bg-warn animate-pulse-slow' },
  refused: { text: 'Live updates refused', dot: 'bg-bad' },
};

/** Whether what is shown follows the platform at this moment. */
export function FeedIndicator({ compact = false }: { compact?: boolean }) {
  const state = useFeedState();
  const { text, dot } = SAYS[state];
  return (
    <span
      role="status"
      aria-label={`Live updates: ${text}`}
      className="flex items-center gap-2 text-xs text-ink-3"
      title={text}
    >
      <span aria-hidden className={classNames('size-2 rounded-full', dot)} />
      {(!compact || state !== 'live') && text}
    </span>
  );
}
