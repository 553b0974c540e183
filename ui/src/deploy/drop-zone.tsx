import { FileArchive } from 'lucide-react';
import { useId } from 'react';
import { classNames } from '../components/class-names.ts';

/** The visible part of deploying by hand: a file input as large as a drop zone. */
export function DropZone({ onFile, big = true }: { onFile: (file: File) => void; big?: boolean }) {
  const id = useId();
  return (
    <div
      className={classNames(
        'group relative flex items-center justify-center gap-x-4 gap-y-3 rounded-2xl border border-dashed border-line-strong/70 bg-surface text-center transition-colors has-[:focus-visible]:outline-2 has-[:focus-visible]:outline-offset-2 has-[:focus-visible]:outline-accent hover:border-accent hover:bg-accent-soft/40',
        big ? 'min-h-64 flex-col p-8' : 'min-h-20 flex-col p-4 sm:flex-row sm:text-left',
      )}
    >
      <span
        aria-hidden
        className={classNames(
          'flex shrink-0 items-center justify-center rounded-2xl bg-accent-soft text-accent-ink transition-transform group-hover:-translate-y-0.5',
          big ? 'size-14' : 'size-10',
        )}
      >
        <FileArchive className={big ? 'size-6' : 'size-5'} />
      </span>
      <div>
        <p className={classNames('font-semibold tracking-tight', big && 'text-lg')}>
          Drop a container image here, or{' '}
          <span className="text-accent-ink underline underline-offset-4">choose a file</span>
        </p>
        <p className="text-ink-3">
          What <code className="font-mono text-[0.8125rem]">docker save</code> writes, or an OCI layout; .tar or
          .tar.gz, any size.
        </p>
      </div>
      <label htmlFor={id} className="sr-only">
        Image archive
      </label>
      <input
        id={id}
        type="file"
        accept=".tar,.tgz,.gz,application/x-tar,application/gzip"
        className="absolute inset-0 size-full cursor-pointer opacity-0"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          if (file !== undefined) onFile(file);
        }}
      />
    </div>
  );
}
