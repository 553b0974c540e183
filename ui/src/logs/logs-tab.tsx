import { ArrowDown, Eraser, Pause, Play, Terminal } from 'lucide-react';
import { memo, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { Button } from '../components/button.tsx';
import { classNames } from '../components/class-names.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { inputStyle } from '../components/input-style.ts';
import { Pill } from '../components/pill.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { ScrollRegion } from '../components/scroll-region.tsx';
import { Select } from '../components/select.tsx';
import { clockText, dateTimeText } from '../format/time.ts';
import { shortId } from '../service/instance-tiles.tsx';
import { useProjectName, useServiceName } from '../shell/place.ts';
import { filterLines, type LogFilter, type NumberedLine, plainText } from './log-buffer.ts';
import { type LogState, useLogs } from './use-logs.ts';

const SAYS: Readonly<Record<LogState, { tone: 'ok' | 'warn' | 'muted'; text: string }>> = {
  connecting: { tone: 'muted', text: 'Connecting' },
  following: { tone: 'ok', text: 'Following' },
  reconnecting: { tone: 'warn', text: 'Reconnecting' },
};

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

const Line = memo(function Line({ line, mark }: { line: NumberedLine; mark: string }) {
  return (
    <li className="flex gap-3 px-3 py-px hover:bg-hover/60">
      <time dateTime={line.at} title={dateTimeText(line.at)} className="shrink-0 text-ink-3">
        {clockText(line.at)}
      </time>
      <span title={`${line.instanceId} of ${line.revisionName}`} className="hidden shrink-0 text-ink-3 sm:inline">
        {shortId(line.instanceId)}
      </span>
      <span
        className={classNames('min-w-0 break-words whitespace-pre-wrap', line.stream === 'stderr' && 'text-bad-ink')}
      >
        {line.stream === 'stderr' && <span className="sr-only">stderr: </span>}
        <Marked text={plainText(line.text)} mark={mark} />
      </span>
    </li>
  );
});

export function LogsTab() {
  const project = useProjectName();
  const name = useServiceName();
  const { lines, state, problem, clear } = useLogs(project, name);
  const [filter, setFilter] = useState<LogFilter>({ text: '', stream: 'all' });
  const wanted = useDeferredValue(filter);
  const [held, setHeld] = useState<readonly NumberedLine[] | null>(null);
  const [atEnd, setAtEnd] = useState(true);
  const box = useRef<HTMLElement>(null);

  const source = held ?? lines;
  const shown = useMemo(() => filterLines(source, wanted), [source, wanted]);
  const missed = held === null ? 0 : (lines.at(-1)?.number ?? 0) - (held.at(-1)?.number ?? 0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line is what makes it scroll
  useEffect(() => {
    if (atEnd && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [shown, atEnd]);

  const { tone, text } = SAYS[state];
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <input
          type="search"
          aria-label="Search logs"
          placeholder="Search logs"
          className={`${inputStyle} min-w-40 flex-1 basis-40`}
          value={filter.text}
          onChange={(event) => setFilter({ ...filter, text: event.target.value })}
        />
        <Select
          aria-label="Stream"
          value={filter.stream}
          onChange={(event) => {
            const { value } = event.target;
            setFilter({ ...filter, stream: value === 'stdout' || value === 'stderr' ? value : 'all' });
          }}
        >
          <option value="all">Both streams</option>
          <option value="stdout">stdout</option>
          <option value="stderr">stderr</option>
        </Select>
        <Button onClick={() => setHeld(held === null ? lines : null)} aria-pressed={held !== null}>
          {held === null ? <Pause aria-hidden /> : <Play aria-hidden />}
          {held === null ? 'Pause' : 'Resume'}
        </Button>
        <Button
          tone="ghost"
          onClick={() => {
            clear();
            setHeld(null);
          }}
        >
          <Eraser aria-hidden />
          Clear
        </Button>
        <span role="status">
          <Pill tone={held === null ? tone : 'warn'} moving={state !== 'following'}>
            {held === null ? text : `Paused, ${missed} new`}
          </Pill>
        </span>
      </div>
      {problem !== null && lines.length === 0 && <ProblemNotice error={problem} />}
      <div className="relative">
        <ScrollRegion
          ref={box}
          label="Log lines"
          onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) =>
            setAtEnd(scrollHeight - scrollTop - clientHeight < 24)
          }
          className="h-[calc(100dvh-23rem)] min-h-80 overflow-y-auto rounded-xl border border-line bg-sunken py-2 font-mono text-xs leading-5"
        >
          {shown.length > 0 && (
            <ol>
              {shown.map((line) => (
                <Line key={line.number} line={line} mark={wanted.text.trim().toLowerCase()} />
              ))}
            </ol>
          )}
          {shown.length === 0 && lines.length > 0 && (
            <p className="p-6 text-center font-sans text-sm text-ink-2">None of {lines.length} lines matches.</p>
          )}
          {lines.length === 0 && problem === null && (
            <div className="font-sans text-sm">
              <EmptyState
                icon={Terminal}
                title="No log lines yet"
                command={`./skyrun logs ${name} --project ${project} -f`}
              >
                What the container writes to its output appears here as it is written.
              </EmptyState>
            </div>
          )}
        </ScrollRegion>
        {!atEnd && (
          <Button
            size="sm"
            tone="solid"
            className="absolute right-4 bottom-4 shadow-lifted"
            onClick={() => setAtEnd(true)}
          >
            <ArrowDown aria-hidden />
            Newest
          </Button>
        )}
      </div>
    </div>
  );
}
