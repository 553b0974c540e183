import { DropdownMenu } from 'radix-ui';
import type { ComponentProps, ReactNode } from 'react';
import { classNames } from './class-names.ts';

interface MenuProps {
  readonly trigger: ReactNode;
  readonly children: ReactNode;
  readonly align?: 'start' | 'end';
  readonly side?: 'top' | 'bottom';
}

/** Not in a portal: inside its landmark it is found by those who read the page in order. */
export function Menu({ trigger, children, align = 'start', side = 'bottom' }: MenuProps) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Content
        align={align}
        side={side}
        sideOffset={6}
        className="z-50 max-h-[70vh] min-w-52 animate-rise overflow-y-auto rounded-xl border border-line bg-surface p-1 shadow-lifted"
      >
        {children}
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}

const itemStyle =
  'flex min-h-8 items-center gap-2 rounded-lg px-2.5 py-1 text-[0.8125rem] outline-none select-none data-highlighted:bg-hover [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-ink-3';

export function MenuItem({ className, ...item }: ComponentProps<typeof DropdownMenu.Item>) {
  return <DropdownMenu.Item className={classNames(itemStyle, className)} {...item} />;
}

export function MenuRadioItem({ className, ...item }: ComponentProps<typeof DropdownMenu.RadioItem>) {
  return (
    <DropdownMenu.RadioItem
      className={classNames(
        itemStyle,
        'data-[state=checked]:font-semibold data-[state=checked]:text-accent-ink',
        className,
      )}
      {...item}
    />
  );
}

export const MenuRadioGroup = DropdownMenu.RadioGroup;

export function MenuLabel({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className="px-2.5 pt-1.5 pb-1 text-xs text-ink-3">{children}</DropdownMenu.Label>;
}

export function MenuLine() {
  return <DropdownMenu.Separator className="my-1 h-px bg-line" />;
}
