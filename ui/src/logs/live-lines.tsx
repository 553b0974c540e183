import { ArrowDown, Terminal } from 'lucide-react';
import { type ReactNode, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { Button } from '../components/button.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { ScrollRegion } from '../components/scroll-region.tsx';
import { LOG_BOX } from './log-box.ts';
import type { NumberedLine } from './log-buffer.ts';
import { filterLines, type LogView } from './log-filter.ts';
import { LogLineItem } from './log-line.tsx';

interface LiveLinesProps {
  readonly lines: readonly NumberedLine[];
  readonly view: LogView;
  readonly problem: unknown;
  readonly command: string;
  readonly onInstance: (instanceId: string) => void;
  /** The way to what was written before. */
  readonly older: ReactNode;
}

/** Lines as they are written, the newest at the end and in sight. */
export function LiveLines({ lines, view, problem, command, onInstance, older }: LiveLinesProps) {
  const wanted = useDeferredValue(view);
  const shown = useMemo(() => filterLines(lines, wanted), [lines, wanted]);
  const [atEnd, setAtEnd] = useState(true);
  const box = useRef<HTMLElement>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line is what makes it scroll
  useEffect(() => {
    if (atEnd && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [shown, atEnd]);

  return (
    <>
      {problem !== null && lines.length === 0 && <ProblemNotice error={problem} />}
      <div className="relative">
        <ScrollRegion
          ref={box}
          label="Log lines"
          onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) =>
            setAtEnd(scrollHeight - scrollTop - clientHeight < 24)
          }
          className={LOG_BOX}
        >
          {shown.length > 0 && (
            <ol>
              {shown.map((line) => (
                <LogLineItem
                  key={line.number}
                  line={line}
                  mark={wanted.text.trim().toLowerCase()}
                  onInstance={onInstance}
                />
              ))}
            </ol>
          )}
          {shown.length === 0 && lines.length > 0 && (
            <div className="flex flex-col items-center gap-3 p-6 font-sans text-sm text-ink-2">
              <p>None of the last {lines.length} lines matches.</p>
              {older}
            </div>
          )}
          {lines.length === 0 && problem === null && (
            <div className="font-sans text-sm">
              <EmptyState icon={Terminal} title="No log lines yet" command={command}>
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
    </>
  );
}
