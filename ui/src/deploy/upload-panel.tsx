import type { UploadProgress } from '@skyrun/contracts';
import { Check, FileArchive } from 'lucide-react';
import { Button } from '../components/button.tsx';
import { classNames } from '../components/class-names.ts';
import { bytesText } from '../format/quantity.ts';
import { UPLOAD_STEPS, viewOf } from './upload-progress.ts';

interface UploadPanelProps {
  readonly file: File;
  readonly sent: number;
  readonly server: UploadProgress | null;
  readonly onCancel: () => void;
}

export function UploadPanel({ file, sent, server, onCancel }: UploadPanelProps) {
  const view = viewOf(server, sent, file.size);
  const doing = ['Uploading', 'Validating', 'Importing'][view.step] ?? 'Uploading';
  return (
    <div className="flex flex-col gap-5 rounded-2xl border border-line bg-surface p-5 shadow-panel">
      <div className="flex items-center gap-3">
        <FileArchive aria-hidden className="size-5 shrink-0 text-ink-3" />
        <p className="min-w-0 flex-1 truncate font-medium">{file.name}</p>
        <p className="figures shrink-0 text-ink-3">{bytesText(file.size)}</p>
        <Button size="sm" onClick={onCancel}>
          Cancel
        </Button>
      </div>
      <ol className="grid grid-cols-3 gap-2">
        {UPLOAD_STEPS.map((name, step) => {
          const percent = step < view.step ? 100 : step === view.step ? view.percent : 0;
          return (
            <li key={name} className="flex flex-col gap-2">
              <div
                role="progressbar"
                aria-label={name}
                aria-valuenow={percent}
                aria-valuemin={0}
                aria-valuemax={100}
                className="h-1.5 -skew-x-12 overflow-hidden rounded-[2px] bg-hover"
              >
                <div className="h-full bg-accent transition-[width] duration-200" style={{ width: `${percent}%` }} />
              </div>
              <p
                className={classNames(
                  'flex items-center gap-1 text-xs font-medium',
                  step === view.step ? 'text-ink' : 'text-ink-3',
                )}
              >
                {step < view.step && <Check aria-hidden className="size-3.5 text-ok-ink" />}
                {name}
              </p>
            </li>
          );
        })}
      </ol>
      <p className="figures text-[0.8125rem] text-ink-2">
        <span role="status">{doing}</span>
        {` · ${view.percent} % · ${bytesText(view.bytes)} of ${bytesText(view.totalBytes)}`}
      </p>
    </div>
  );
}
