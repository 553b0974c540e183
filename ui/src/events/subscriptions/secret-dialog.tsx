import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Dialog } from '../../components/dialog.tsx';

/** A signing secret, the only time that it is shown. */
export function SecretDialog({ secret, onClose }: { secret: string; onClose: () => void }) {
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title="Signing secret"
      description="Keep it where your receiver can read it. It is encrypted here and not shown again."
    >
      <div className="flex flex-col gap-4">
        <div className="flex items-center gap-2 rounded-lg bg-sunken p-2 pl-3">
          <code className="min-w-0 flex-1 font-mono text-xs break-all">{secret}</code>
          <CopyButton text={secret} label="Copy secret" />
        </div>
        <p className="text-[0.8125rem] text-ink-3">
          Each request carries <code className="font-mono">webhook-id</code>,{' '}
          <code className="font-mono">webhook-timestamp</code> and <code className="font-mono">webhook-signature</code>,
          as Standard Webhooks has it.
        </p>
        <div className="flex justify-end">
          <Button tone="solid" onClick={onClose}>
            I have kept it
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
