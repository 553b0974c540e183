import type { Instance } from '@skyrun/contracts';
import { useState } from 'react';
import { Ago } from '../components/ago.tsx';
import { Dialog } from '../components/dialog.tsx';
import { isLive } from '../live/reduce.ts';
import { shortId } from './instance-tiles.tsx';

/** What ended within the last hour, and why. */
export function EndedInstances({ instances }: { instances: readonly Instance[] }) {
  const [open, setOpen] = useState(false);
  const ended = instances.filter((instance) => !isLive(instance));
  if (ended.length === 0) return null;
  return (
    <>
      <button
        type="button"
        onClick={() => setOpen(true)}
        className="text-[0.8125rem] text-ink-3 underline-offset-4 hover:text-ink hover:underline"
      >
        {ended.length} ended in the last hour
      </button>
      <Dialog open={open} onOpenChange={setOpen} title="Ended instances" description="Of the last hour, newest first.">
        <ul className="flex flex-col divide-y divide-line">
          {ended.map((instance) => (
            <li key={instance.id} className="flex items-baseline gap-3 py-2">
              <code className="font-mono text-xs text-ink-3">{shortId(instance.id)}</code>
              <span className={instance.state === 'failed' ? 'font-medium text-bad-ink' : 'text-ink-2'}>
                {instance.state}
                {instance.reason !== undefined && ` – ${instance.reason}`}
                {instance.exitCode !== undefined && instance.exitCode !== 0 && ` (exit ${instance.exitCode})`}
              </span>
              {instance.endedAt !== undefined && (
                <Ago time={instance.endedAt} className="ml-auto shrink-0 text-xs text-ink-3" />
              )}
            </li>
          ))}
        </ul>
      </Dialog>
    </>
  );
}
