import { OPERATIONS, type Problem, type Tokens } from '@skyrun/contracts';
import { Link, useRouter, useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect } from 'react';
import { useConnection, useSessionState } from '../api/context.ts';
import { fieldMessage } from '../api/problems.ts';
import { useAction } from '../api/use-action.ts';
import { Button } from '../components/button.tsx';
import { TextField } from '../components/field.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Splash } from '../shell/notices.tsx';
import { AuthFrame } from './auth-frame.tsx';
import { safeNext } from './safe-next.ts';

/** To an address with whatever query it has, which the router's own links would want to be taken apart. */
function GoOn({ to }: { to: string }) {
  const { history } = useRouter();
  useEffect(() => history.replace(to), [history, to]);
  return <Splash />;
}

function useAuthForm(submit: (fields: { email: string; password: string; name: string }) => Promise<Tokens>) {
  const { session } = useConnection();
  const action = useAction(async (data: FormData) => {
    const text = (name: string) => String(data.get(name) ?? '').trim();
    const tokens = await submit({
      email: text('email'),
      password: String(data.get('password') ?? ''),
      name: text('name'),
    });
    session.adopt(tokens, data.get('remember') !== null);
  });
  const onSubmit = (event: FormEvent<HTMLFormElement>) => action.submit(event, new FormData(event.currentTarget));
  return { problem: action.problem, busy: action.busy, onSubmit };
}

function Remember() {
  return (
    <label className="flex items-center gap-2 text-[0.8125rem] text-ink-2">
      <input type="checkbox" name="remember" defaultChecked className="size-4 accent-accent" />
      Stay signed in on this device
    </label>
  );
}

/** A notice for what no field shows. */
function FormProblem({ problem, fields }: { problem: Problem | null; fields: readonly string[] }) {
  if (problem === null || fields.some((field) => fieldMessage(problem, field) !== undefined)) return null;
  return <ProblemNotice error={problem} />;
}

export function SignInPage() {
  const { api } = useConnection();
  const { next } = useSearch({ strict: false });
  const state = useSessionState();
  const { problem, busy, onSubmit } = useAuthForm(({ email, password }) =>
    api.call(OPERATIONS.signIn, { body: { email, password } }),
  );
  if (state.kind === 'signed-in') return <GoOn to={safeNext(next)} />;
  return (
    <AuthFrame title="Sign in" intro="Welcome back. Your services kept running.">
      <form onSubmit={onSubmit} className="flex flex-col gap-4">
        <TextField
          label="E-mail"
          name="email"
          type="email"
          autoComplete="username"
          required
          autoFocus
          error={fieldMessage(problem, '/email')}
        />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="current-password"
          required
          error={fieldMessage(problem, '/password')}
        />
        <Remember />
        <FormProblem problem={problem} fields={['/email', '/password']} />
        <Button type="submit" tone="solid" size="lg" busy={busy}>
          Sign in
        </Button>
      </form>
      <p className="text-ink-2">
        No account yet?{' '}
        <Link
          to="/sign-up"
          search={{ next }}
          className="font-medium text-accent-ink underline-offset-4 hover:underline"
        >
          Create one
        </Link>
      </p>
    </AuthFrame>
  );
}

export function SignUpPage() {
  const { api } = useConnection();
  const { next } = useSearch({ strict: false });
  const state = useSessionState();
  const { problem, busy, onSubmit } = useAuthForm(({ email, password, name }) =>
    api.call(OPERATIONS.signUp, { body: { email, password, name } }),
  );
  if (state.kind === 'signed-in') return <GoOn to={safeNext(next)} />;
  return (
    <AuthFrame title="Create an account" intro="Local to this installation; nothing is sent anywhere.">
      <form onSubmit={onSubmit} className="flex flex-col gap-4">
        <TextField
          label="Name"
          name="name"
          autoComplete="name"
          maxLength={100}
          required
          autoFocus
          error={fieldMessage(problem, '/name')}
        />
        <TextField
          label="E-mail"
          name="email"
          type="email"
          autoComplete="username"
          required
          error={fieldMessage(problem, '/email')}
        />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={10}
          required
          hint="At least 10 characters."
          error={fieldMessage(problem, '/password')}
        />
        <Remember />
        <FormProblem problem={problem} fields={['/email', '/password', '/name']} />
        <Button type="submit" tone="solid" size="lg" busy={busy}>
          Create account
        </Button>
      </form>
      <p className="text-ink-2">
        Have an account?{' '}
        <Link
          to="/sign-in"
          search={{ next }}
          className="font-medium text-accent-ink underline-offset-4 hover:underline"
        >
          Sign in
        </Link>
      </p>
    </AuthFrame>
  );
}
