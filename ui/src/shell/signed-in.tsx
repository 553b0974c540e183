import { useQuery } from '@tanstack/react-query';
import { Navigate, Outlet, useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { useApi, useConnection, useSessionState } from '../api/context.ts';
import { projectsQuery } from '../api/queries.ts';
import { AuthFrame } from '../auth/auth-frame.tsx';
import { CreateProjectForm } from './create-project.tsx';
import { lastProject } from './last-project.ts';
import { Splash, UnreachablePage } from './notices.tsx';

/** Remembers the address that was asked for, as it was when the session was found missing: leaving changes it. */
function ToSignIn() {
  const router = useRouter();
  const [wanted] = useState(() => router.state.location.href);
  return <Navigate to="/sign-in" search={wanted === '/' ? {} : { next: wanted }} replace />;
}

/** Everything below needs a signed-in person; whoever loses the session is brought back after signing in. */
export function SignedIn() {
  const { session } = useConnection();
  const state = useSessionState();
  switch (state.kind) {
    case 'starting':
      return <Splash />;
    case 'unreachable':
      return <UnreachablePage error={state.problem} onRetry={() => session.start()} />;
    case 'signed-out':
      return <ToSignIn />;
    case 'signed-in':
      return <Outlet />;
  }
}

/** The address `/`: the project that was open last, else the first, else the first one to create. */
export function HomePage() {
  const { data: projects, error, refetch } = useQuery(projectsQuery(useApi()));
  if (error !== null) return <UnreachablePage error={error} onRetry={refetch} />;
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
