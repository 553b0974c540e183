import { CopyButton } from './copy-button.tsx';

/** The same thing for the command line. */
export function Command({ children }: { children: string }) {
  return (
    <div className="flex max-w-full min-w-0 items-center gap-1 rounded-lg border border-line bg-sunken py-0.5 pr-0.5 pl-3 text-left">
      <code className="min-w-0 flex-1 font-mono text-xs break-words text-ink-2">
        <span aria-hidden className="mr-2 text-ink-3 select-none">
          $
        </span>
        {children}
      </code>
      <CopyButton text={children} label="Copy command" />
    </div>
  );
}
