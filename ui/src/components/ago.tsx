import { agoText, dateTimeText } from '../format/time.ts';
import { useNow } from './now.ts';

export function Ago({ time, className }: { time: string; className?: string }) {
  const now = useNow();
  return (
    <time dateTime={time} title={dateTimeText(time)} className={className}>
      {agoText(time, now)}
    </time>
  );
}
