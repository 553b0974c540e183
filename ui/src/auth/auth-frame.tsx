import type { ReactNode } from 'react';
import { useDocumentTitle } from '../components/page.tsx';
import { Mark } from '../shell/mark.tsx';

/** The ground of the pages before sign-in: a form beside a dusk runway. */
export function AuthFrame({ title, intro, children }: { title: string; intro: ReactNode; children: ReactNode }) {
  useDocumentTitle(title);
  return (
    <main className="grid min-h-dvh lg:grid-cols-[minmax(0,1fr)_minmax(0,1.1fr)]">
      <div className="flex flex-col px-6 py-8 sm:px-12">
        <p className="flex items-center gap-2 text-base font-semibold tracking-tight">
          <Mark className="h-4.5 text-accent" />
          Skyrun
        </p>
        <div className="mx-auto flex w-full max-w-sm flex-1 flex-col justify-center gap-6 py-10">
          <div>
            <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
            <p className="mt-1 text-ink-2">{intro}</p>
          </div>
          {children}
        </div>
      </div>
      <div
        aria-hidden
        className="relative hidden overflow-hidden bg-[linear-gradient(175deg,oklch(0.2_0.035_255),oklch(0.26_0.06_248)_60%,oklch(0.36_0.085_238))] lg:block"
      >
        <div className="absolute inset-x-0 bottom-0 flex h-2/3 items-end justify-center gap-[2.2vw] pb-[12vh]">
          {RUNWAY.map(([key, height, opacity]) => (
            <span
              key={key}
              style={{ height: `${height}%`, opacity }}
              className="w-[1.5vw] -skew-x-12 rounded-md bg-[linear-gradient(to_top,oklch(0.72_0.14_235),oklch(0.9_0.08_215))]"
            />
          ))}
        </div>
        <p className="absolute top-10 left-10 max-w-sm text-2xl leading-snug font-medium tracking-tight text-white/90">
          Drop an image. Get a URL that follows its traffic — down to zero and back.
        </p>
      </div>
    </main>
  );
}

const RUNWAY: readonly (readonly [string, number, number])[] = [
  ['a', 12, 0.25],
  ['b', 18, 0.32],
  ['c', 27, 0.42],
  ['d', 40, 0.55],
  ['e', 58, 0.7],
  ['f', 80, 0.88],
  ['g', 66, 0.74],
  ['h', 44, 0.55],
  ['i', 24, 0.38],
  ['j', 12, 0.25],
];
