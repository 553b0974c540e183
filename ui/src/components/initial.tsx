import { classNames } from './class-names.ts';

/** The first letter of a name as a picture: drawn by CSS, so that it is no text to read or to match. */
export function Initial({ of: name, className }: { of: string; className?: string }) {
  return (
    <span
      aria-hidden
      data-initial={name.slice(0, 1)}
      className={classNames(
        'flex shrink-0 items-center justify-center text-xs font-semibold uppercase before:content-[attr(data-initial)]',
        className,
      )}
    />
  );
}
