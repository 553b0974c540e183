import { type ClassValue, clsx } from 'clsx';
import { twMerge } from 'tailwind-merge';

/** Joins class names; of two Tailwind classes that disagree, the later wins. */
export function classNames(...parts: ClassValue[]): string {
  return twMerge(clsx(parts));
}
