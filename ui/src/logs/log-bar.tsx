import { LOG_SEVERITIES } from '@skyrun/contracts';
import { useInfiniteQuery } from '@tanstack/react-query';
import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useApi } from '../api/context.ts';
import { revisionsQuery } from '../api/queries.ts';
import { Button } from '../components/button.tsx';
import { inputStyle } from '../components/input-style.ts';
import { Select } from '../components/select.tsx';
import { shortId } from '../service/instance-tiles.tsx';
import { type LogView, RANGES } from './log-filter.ts';

interface LogBarProps {
  readonly project: string;
  readonly service: string;
  readonly view: LogView;
  readonly onChange: (view: LogView) => void;
  /** What the shown range can be told to do. */
  readonly children: ReactNode;
}

/** Which lines: text, time, urgency, stream, revision, instance. */
export function LogBar({ project, service, view, onChange, children }: LogBarProps) {
  const revisions = useInfiniteQuery(revisionsQuery(useApi(), project, service)).data?.pages.flatMap(
    ({ items }) => items,
  );
  const set = (fields: Partial<LogView>) => onChange({ ...view, ...fields });
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-2">
        <input
          type="search"
          aria-label="Search logs"
          placeholder="Search logs"
          className={`${inputStyle} min-w-40 flex-1 basis-40`}
          value={view.text}
          onChange={(event) => set({ text: event.target.value })}
        />
        <Select
          aria-label="Time"
          value={view.range}
          onChange={(event) => set({ range: RANGES.find(({ id }) => id === event.target.value)?.id ?? 'live' })}
        >
          {RANGES.map(({ id, label }) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </Select>
        {children}
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <Select
          aria-label="Severity"
          value={view.severity}
          onChange={(event) => set({ severity: LOG_SEVERITIES.find((known) => known === event.target.value) ?? '' })}
        >
          <option value="">Any severity</option>
          {LOG_SEVERITIES.map((severity) => (
            <option key={severity} value={severity}>
              {severity === 'critical' ? 'critical' : `${severity} and worse`}
            </option>
          ))}
        </Select>
        <Select
          aria-label="Stream"
          value={view.stream}
          onChange={(event) => {
            const { value } = event.target;
            set({ stream: value === 'stdout' || value === 'stderr' ? value : '' });
          }}
        >
          <option value="">Both streams</option>
          <option value="stdout">stdout</option>
          <option value="stderr">stderr</option>
        </Select>
        <Select aria-label="Revision" value={view.revision} onChange={(event) => set({ revision: event.target.value })}>
          <option value="">All revisions</option>
          {revisions?.map(({ id, name }) => (
            <option key={id} value={name}>
              {name}
            </option>
          ))}
        </Select>
        {view.instance !== '' && (
          <Button size="sm" onClick={() => set({ instance: '' })}>
            Instance {shortId(view.instance)}
            <span className="sr-only">, show all again</span>
            <X aria-hidden />
          </Button>
        )}
        {view.range === 'between' && (
          <span className="flex flex-wrap gap-2">
            <Moment label="From" value={view.from} onChange={(from) => set({ from })} />
            <Moment label="To" value={view.to} onChange={(to) => set({ to })} />
          </span>
        )}
      </div>
    </div>
  );
}

function Moment({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  return (
    <label className="flex items-center gap-2 text-ink-2">
      {label}
      <input
        type="datetime-local"
        step={1}
        className={`${inputStyle} w-auto`}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}
