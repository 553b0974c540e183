import { type ReactNode, useEffect } from 'react';

interface PageProps {
  readonly title: string;
  /** The browser's title when it says more than the heading. */
  readonly documentTitle?: string;
  readonly above?: ReactNode;
  readonly subtitle?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Skyrun`;
  }, [title]);
}

export function Page({ title, documentTitle, above, subtitle, actions, children }: PageProps) {
  useDocumentTitle(documentTitle ?? title);
  return (
    <div className="mx-auto flex w-full max-w-6xl flex-col gap-6 px-4 pt-6 pb-16 sm:px-8 sm:pt-8">
      <header className="flex flex-wrap items-end justify-between gap-x-6 gap-y-4">
        <div className="min-w-0">
          {above}
          <h1 className="truncate text-[1.375rem] leading-8 font-semibold tracking-tight">{title}</h1>
          {subtitle !== undefined && <div className="mt-0.5 text-ink-2">{subtitle}</div>}
        </div>
        {actions !== undefined && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
