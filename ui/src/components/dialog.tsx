import { X } from 'lucide-react';
import { Dialog as Primitive } from 'radix-ui';
import type { ReactNode } from 'react';
import { buttonStyle } from './button.tsx';

interface DialogProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly title: string;
  readonly description: ReactNode;
  readonly children: ReactNode;
}

export function Dialog({ open, onOpenChange, title, description, children }: DialogProps) {
  return (
    <Primitive.Root open={open} onOpenChange={onOpenChange}>
      <Primitive.Portal>
        <Primitive.Overlay className="fixed inset-0 z-40 animate-fade bg-black/45 backdrop-blur-[2px]" />
        <Primitive.Content className="fixed top-[12vh] left-1/2 z-50 max-h-[80vh] w-[min(30rem,calc(100vw-2rem))] -translate-x-1/2 animate-rise overflow-y-auto rounded-2xl border border-line bg-surface p-5 shadow-lifted">
          <div className="mb-4 pr-8">
            <Primitive.Title className="text-base font-semibold tracking-tight">{title}</Primitive.Title>
            <Primitive.Description asChild>
              <div className="mt-1 text-ink-2">{description}</div>
            </Primitive.Description>
          </div>
          {children}
          <Primitive.Close
            className={buttonStyle({ tone: 'ghost', size: 'icon', className: 'absolute top-3.5 right-3.5' })}
            aria-label="Close"
          >
            <X aria-hidden />
          </Primitive.Close>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
