import type { MayAct, Runtime } from './runtime.ts';

/** The same engine, as long as `assertHeld` does not throw: what changes something asks it first. Looking is free. */
export function fencedRuntime(runtime: Runtime, assertHeld: MayAct): Runtime {
  const fenced =
    <Args extends readonly unknown[], Result>(act: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      assertHeld();
      return act(...args);
    };
  return {
    ...runtime,
    // A process may be stopped for long between two steps of one of these.
    start: fenced((spec) => runtime.start(spec, assertHeld)),
    stop: fenced((instanceId, options) => runtime.stop(instanceId, options, assertHeld)),
    restart: fenced((instanceId) => runtime.restart(instanceId, assertHeld)),
    pause: fenced((instanceId) => runtime.pause(instanceId, assertHeld)),
    resume: fenced((instanceId) => runtime.resume(instanceId, assertHeld)),
    tidy: fenced(runtime.tidy),
  };
}
