import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { Menu as MenuIcon, X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useEffect, useRef, useState } from 'react';
import { buttonStyle } from '../components/button.tsx';
import { LiveProvider } from '../live/provider.tsx';
import { AccountMenu } from './account-menu.tsx';
import { FeedIndicator } from './feed-indicator.tsx';
import { rememberProject } from './last-project.ts';
import { Mark } from './mark.tsx';
import { Navigation } from './navigation.tsx';
import { useProjectName } from './place.ts';
import { ProjectSwitcher } from './project-switcher.tsx';

function Brand({ project }: { project: string }) {
  return (
    <Link
      to="/projects/$project/services"
      params={{ project }}
      className="flex items-center gap-2 rounded-md text-[0.9375rem] font-semibold tracking-tight"
    >
      <Mark className="h-4 text-accent" />
      Skyrun
    </Link>
  );
}

function Drawer({ project }: { project: string }) {
  const [open, setOpen] = useState(false);
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger className={buttonStyle({ tone: 'ghost', size: 'icon' })} aria-label="Open navigation">
        <MenuIcon aria-hidden />
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 animate-fade bg-black/45" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-y-0 left-0 z-50 flex w-72 max-w-[85vw] animate-fade flex-col gap-4 border-r border-line bg-canvas p-4"
        >
          <div className="flex items-center justify-between">
            <Dialog.Title className="font-semibold">Navigation</Dialog.Title>
            <Dialog.Close className={buttonStyle({ tone: 'ghost', size: 'icon' })} aria-label="Close navigation">
              <X aria-hidden />
            </Dialog.Close>
          </div>
          <ProjectSwitcher project={project} />
          <Navigation project={project} onGo={() => setOpen(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** Moves the focus to the new page, so that a keyboard or a screen reader starts there. */
function useFocusOnNavigation() {
  const main = useRef<HTMLElement>(null);
  const page = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const shown = useRef(page);
  useEffect(() => {
    // A tab strip keeps the focus: whoever arrows through tabs must not be thrown out of them.
    const inTabs = document.activeElement?.closest('[data-tab-strip]') != null;
    if (shown.current !== undefined && shown.current !== page && !inTabs) main.current?.focus({ preventScroll: true });
    shown.current = page;
  }, [page]);
  return main;
}

export function Shell() {
  const project = useProjectName();
  const main = useFocusOnNavigation();
  useEffect(() => rememberProject(project), [project]);
  return (
    <LiveProvider project={project} key={project}>
      <a
        href="#main"
        className="fixed top-2 left-1/2 z-50 -translate-x-1/2 -translate-y-16 rounded-lg bg-solid px-3 py-2 font-medium text-on-solid focus:translate-y-0"
      >
        Skip to content
      </a>
      <div className="flex min-h-dvh flex-col lg:flex-row">
        <header className="sticky top-0 z-20 flex h-14 items-center gap-3 border-b border-line bg-canvas/90 px-3 backdrop-blur lg:hidden">
          <Drawer project={project} />
          <Brand project={project} />
          <span className="min-w-0 flex-1 truncate text-ink-3">{project}</span>
          <FeedIndicator compact />
          <AccountMenu compact />
        </header>
        <aside
          aria-label="Sidebar"
          className="sticky top-0 z-20 hidden h-dvh w-60 shrink-0 flex-col gap-4 border-r border-line px-3 py-4 lg:flex"
        >
          <div className="flex items-center justify-between px-2">
            <Brand project={project} />
            <FeedIndicator />
          </div>
          <ProjectSwitcher project={project} />
          <Navigation project={project} />
          <div className="mt-auto">
            <AccountMenu />
          </div>
        </aside>
        <main id="main" ref={main} tabIndex={-1} className="min-w-0 flex-1">
          <Outlet />
        </main>
      </div>
    </LiveProvider>
  );
}
