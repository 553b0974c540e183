import type { Runtime } from './runtime.ts';

/** The same engine, as long as `assertHeld` does not throw: what changes something asks it first. Looking is free. */
export function fencedRuntime(runtime: Runtime, assertHeld: () => void): Runtime {
  const fenced =
    <Args extends readonly unknown[], Result>(act: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      assertHeld();
      return act(...args);
    };
  return {
    ...runtime,
    start: fenced(runtime.start),
    stop: fenced(runtime.stop),
    pause: fenced(runtime.pause),
    resume: fenced(runtime.resume),
    restart: fenced(runtime.restart),
    tidy: fenced(runtime.tidy),
  };
}
