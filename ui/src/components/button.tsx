import { cva, type VariantProps } from 'class-variance-authority';
import { LoaderCircle } from 'lucide-react';
import type { ComponentProps } from 'react';
import { classNames } from './class-names.ts';

/** Also for links that look like buttons. */
export const buttonStyle = cva(
  'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-lg font-medium whitespace-nowrap transition-colors select-none disabled:cursor-not-allowed disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0',
  {
    variants: {
      tone: {
        solid: 'bg-solid text-on-solid hover:bg-solid-hover',
        plain: 'border border-line bg-surface text-ink shadow-panel hover:bg-hover',
        ghost: 'text-ink-2 hover:bg-hover hover:text-ink',
        danger: 'bg-bad-solid text-white hover:brightness-110',
      },
      size: { sm: 'h-8 px-2.5 text-[0.8125rem]', md: 'h-9 px-3.5 text-sm', lg: 'h-10 px-4 text-sm', icon: 'size-8' },
    },
    defaultVariants: { tone: 'plain', size: 'md' },
  },
);

type ButtonProps = ComponentProps<'button'> & VariantProps<typeof buttonStyle> & { busy?: boolean };

/** While `busy` the button keeps its width and its name, and does nothing. */
export function Button({
  className,
  tone,
  size,
  busy = false,
  disabled,
  children,
  type = 'button',
  ...rest
}: ButtonProps) {
  return (
    <button
      type={type}
      className={classNames(buttonStyle({ tone, size }), className)}
      disabled={disabled === true || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {busy && <LoaderCircle aria-hidden className="animate-spin" />}
      {children}
    </button>
  );
}
