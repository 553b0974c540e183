import { useQuery } from '@tanstack/react-query';
import { Navigate, Outlet, useLocation } from '@tanstack/react-router';
import { useApi, useSessionState } from '../api/context.ts';
import { projectsQuery } from '../api/queries.ts';
import { AuthFrame } from '../auth/auth-frame.tsx';
import { CreateProjectForm } from './create-project.tsx';
import { lastProject } from './last-project.ts';
import { Splash, UnreachablePage } from './notices.tsx';

/** Everything below needs a signed-in person; whoever loses the session is brought back after signing in. */
export function SignedIn() {
  const state = useSessionState();
  const { href } = useLocation();
  switch (state.kind) {
    case 'starting':
      return <Splash />;
    case 'unreachable':
      return <UnreachablePage error={state.problem} />;
    case 'signed-out':
      return <Navigate to="/sign-in" search={href === '/' ? {} : { next: href }} replace />;
    case 'signed-in':
      return <Outlet />;
  }
}

/** The address `/`: the project that was open last, else the first, else the first one to create. */
export function HomePage() {
  const { data: projects, error } = useQuery(projectsQuery(useApi()));
  if (error !== null) return <UnreachablePage error={error} />;
  if (projects === undefined) return <Splash />;
  const last = lastProject();
  const target = projects.find(({ name }) => name === last) ?? projects[0];
  if (target !== undefined) {
    return <Navigate to="/projects/$project/services" params={{ project: target.name }} replace />;
  }
  return (
    <AuthFrame title="Create your first project" intro="A project holds services, images, members and one bill.">
      <CreateProjectForm />
    </AuthFrame>
  );
}
