import type { ReactNode } from 'react';
import { useAction } from '../api/use-action.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { ProblemNotice } from './problem-notice.tsx';

interface ConfirmDialogProps {
  /** A question, e.g. `Delete demo?` */
  readonly title: string;
  /** What it means, and what stays. */
  readonly description: ReactNode;
  /** What the button does, e.g. `Delete secret`. */
  readonly action: string;
  /** `solid` where nothing is lost. */
  readonly tone?: 'danger' | 'solid';
  /** It closes when this has ended well, and shows the problem where it has not. */
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

/** Asks before something that cannot be taken back. */
export function ConfirmDialog({ title, description, action, tone = 'danger', onConfirm, onClose }: ConfirmDialogProps) {
  const { busy, problem, run } = useAction(async () => {
    await onConfirm();
    onClose();
  });
  return (
    <Dialog open onOpenChange={onClose} title={title} description={description}>
      <div className="flex flex-col gap-4">
        {problem !== null && <ProblemNotice error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Keep</Button>
          <Button tone={tone} busy={busy} onClick={run}>
            {action}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
