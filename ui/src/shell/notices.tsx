import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { Button, buttonStyle } from '../components/button.tsx';
import { useDocumentTitle } from '../components/page.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Mark } from './mark.tsx';

/** `alone`: not inside the shell, which has the page's main landmark already. */
function Centred({ alone = false, children }: { alone?: boolean; children: ReactNode }) {
  const Element = alone ? 'main' : 'div';
  return (
    <Element className="mx-auto flex min-h-[70dvh] w-full max-w-lg flex-col items-center justify-center gap-4 px-6 text-center">
      {children}
    </Element>
  );
}

export function Splash() {
  return (
    <main className="flex min-h-dvh items-center justify-center">
      <div role="status" aria-label="Starting">
        <Mark className="h-8 animate-pulse-slow text-accent" />
      </div>
    </main>
  );
}

export function NotFoundPage({ alone = false }: { alone?: boolean }) {
  useDocumentTitle('Not found');
  return (
    <Centred alone={alone}>
      <Compass aria-hidden className="size-8 text-ink-3" />
      <h1 className="text-xl font-semibold tracking-tight">There is nothing at this address</h1>
      <p className="text-ink-2">It may have been deleted, or the link is mistyped.</p>
      <Link to="/" className={buttonStyle({ tone: 'solid' })}>
        Go to your services
      </Link>
    </Centred>
  );
}

/** Shown in place of a page whose code threw. */
export function BrokenPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  useDocumentTitle('Something went wrong');
  return (
    <Centred>
      <h1 className="text-xl font-semibold tracking-tight">This page broke</h1>
      <div className="w-full text-left">
        <ProblemNotice error={error} />
      </div>
      <div className="flex gap-2">
        <Button
          tone="solid"
          onClick={() => {
            reset();
            void router.invalidate();
          }}
        >
          Try again
        </Button>
        <Button onClick={() => window.location.reload()}>Reload</Button>
      </div>
    </Centred>
  );
}

const RETRY_MS = 4000;

/** Nothing could be asked because nobody answered; nothing is lost, and it is asked again by itself. */
export function UnreachablePage({ error, onRetry }: { error: unknown; onRetry: () => unknown }) {
  useDocumentTitle('Not reachable');
  const retry = useRef(onRetry);
  useEffect(() => {
    retry.current = onRetry;
  });
  useEffect(() => {
    const timer = setInterval(() => void retry.current(), RETRY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <Centred alone>
      <h1 className="text-xl font-semibold tracking-tight">Skyrun does not answer</h1>
      <div className="w-full text-left">
        <ProblemNotice error={error} onRetry={onRetry} />
      </div>
    </Centred>
  );
}
