import type { LogLine, LogSeverity } from '@skyrun/contracts';
import { memo } from 'react';
import { classNames } from '../components/class-names.ts';
import { clockText, dateTimeText, shortTimeText } from '../format/time.ts';
import { shortId } from '../service/instance-tiles.tsx';
import { plainText } from './log-buffer.ts';

function Marked({ text, mark }: { text: string; mark: string }) {
  if (mark === '') return text;
  const parts = [];
  const lower = text.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(mark); at !== -1; at = lower.indexOf(mark, from)) {
    parts.push(text.slice(from, at));
    parts.push(
      <mark key={at} className="rounded-sm bg-warn-soft text-warn-ink">
        {text.slice(at, at + mark.length)}
      </mark>,
    );
    from = at + mark.length;
  }
  parts.push(text.slice(from));
  return parts;
}

const INK: Readonly<Record<LogSeverity, string>> = {
  debug: 'text-ink-3',
  info: '',
  warning: 'text-warn-ink',
  error: 'text-bad-ink',
  critical: 'text-bad-ink font-semibold',
};

interface LogLineProps {
  readonly line: LogLine;
  /** Lower case. */
  readonly mark: string;
  /** Lines of several days need theirs said. */
  readonly withDate?: boolean;
  readonly onInstance: (instanceId: string) => void;
}

export const LogLineItem = memo(function LogLineItem({ line, mark, withDate = false, onInstance }: LogLineProps) {
  const ink = line.severity === undefined ? (line.stream === 'stderr' ? 'text-bad-ink' : '') : INK[line.severity];
  return (
    <li className="flex gap-3 px-3 py-px hover:bg-hover/60">
      <time dateTime={line.at} title={dateTimeText(line.at)} className="shrink-0 text-ink-3">
        {withDate && <span className="hidden md:inline">{shortTimeText(line.at).replace(/,.*/, '')} </span>}
        {clockText(line.at)}
      </time>
      <button
        type="button"
        title={`Only ${line.instanceId} of ${line.revisionName}`}
        onClick={() => onInstance(line.instanceId)}
        className="hidden h-5 shrink-0 cursor-pointer self-start text-ink-3 hover:text-ink hover:underline sm:inline"
      >
        {shortId(line.instanceId)}
      </button>
      <span className={classNames('min-w-0 break-words whitespace-pre-wrap', ink)}>
        {line.stream === 'stderr' && <span className="sr-only">stderr: </span>}
        <Marked text={plainText(line.text)} mark={mark} />
      </span>
    </li>
  );
});
