import { Eraser, Pause, Play, RefreshCw } from 'lucide-react';
import { useCallback, useEffect, useState } from 'react';
import { pageClock } from '../clock.ts';
import { Button } from '../components/button.tsx';
import { Pill } from '../components/pill.tsx';
import { useProjectName, useServiceName } from '../shell/place.ts';
import { FoundLines } from './found-lines.tsx';
import { LiveLines } from './live-lines.tsx';
import { LogBar } from './log-bar.tsx';
import type { NumberedLine } from './log-buffer.ts';
import { EVERYTHING_LIVE, isNarrowed, type LogView, toQuery } from './log-filter.ts';
import { type LogState, useLogs } from './use-logs.ts';

const SAYS: Readonly<Record<LogState, { tone: 'ok' | 'warn' | 'muted'; text: string }>> = {
  connecting: { tone: 'muted', text: 'Connecting' },
  following: { tone: 'ok', text: 'Following' },
  reconnecting: { tone: 'warn', text: 'Reconnecting' },
};

/** A reader who still types asks nothing yet. */
const TYPING_MS = 300;

interface TabProps {
  readonly project: string;
  readonly service: string;
  readonly view: LogView;
  readonly onChange: (view: LogView) => void;
}

export function LogsTab() {
  const project = useProjectName();
  const service = useServiceName();
  const [view, onChange] = useState(EVERYTHING_LIVE);
  const place = { project, service, view, onChange };
  return view.range === 'live' ? <LiveTab {...place} /> : <SearchTab {...place} />;
}

function LiveTab({ project, service, view, onChange }: TabProps) {
  const { lines, state, problem, clear } = useLogs(project, service);
  const [held, setHeld] = useState<readonly NumberedLine[] | null>(null);
  const onInstance = useCallback((instance: string) => onChange({ ...view, instance }), [view, onChange]);
  const missed = held === null ? 0 : (lines.at(-1)?.number ?? 0) - (held.at(-1)?.number ?? 0);
  const { tone, text } = SAYS[state];
  return (
    <div className="flex flex-col gap-3">
      <LogBar project={project} service={service} view={view} onChange={onChange}>
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
      </LogBar>
      <LiveLines
        lines={held ?? lines}
        view={view}
        problem={problem}
        command={`./skyrun logs ${service} --project ${project} -f`}
        onInstance={onInstance}
        older={
          <Button size="sm" onClick={() => onChange({ ...view, range: '24h' })}>
            Search the last 24 hours
          </Button>
        }
      />
    </div>
  );
}

function SearchTab({ project, service, view, onChange }: TabProps) {
  const [asked, setAsked] = useState(() => toQuery(view, pageClock.now()));
  const onInstance = useCallback((instance: string) => onChange({ ...view, instance }), [view, onChange]);
  useEffect(() => {
    const timer = window.setTimeout(() => setAsked(toQuery(view, pageClock.now())), TYPING_MS);
    return () => clearTimeout(timer);
  }, [view]);
  return (
    <div className="flex flex-col gap-3">
      <LogBar project={project} service={service} view={view} onChange={onChange}>
        <Button onClick={() => setAsked(toQuery(view, pageClock.now()))}>
          <RefreshCw aria-hidden />
          Search again
        </Button>
      </LogBar>
      <FoundLines
        project={project}
        service={service}
        filter={asked}
        narrowed={isNarrowed(view)}
        onInstance={onInstance}
        reset={
          <Button
            size="sm"
            onClick={() => onChange({ ...EVERYTHING_LIVE, range: view.range === '7d' ? 'live' : '7d' })}
          >
            {view.range === '7d' ? 'Follow what is written now' : 'All of the last 7 days'}
          </Button>
        }
      />
    </div>
  );
}
