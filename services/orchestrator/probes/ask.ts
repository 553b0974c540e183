import type { HealthProbe, Probe, RevisionTemplate } from '@skyrun/contracts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Prober } from './probe.ts';

export interface Asked {
  readonly instanceId: string;
  readonly address: string;
  readonly template: Pick<RevisionTemplate, 'port' | 'protocol'>;
  readonly probe: Pick<Probe | HealthProbe, 'kind' | 'path' | 'headers' | 'command'>;
  readonly timeoutMs: number;
}

export type Ask = (asked: Asked) => Promise<boolean>;

/** Asks an instance once, in the way that its probe says. Rejects only where the engine, which runs programs, is away. */
export function createAsk(
  prober: Prober,
  runtime: Pick<Runtime, 'exec'>,
  /** Where the engine publishes the instance's port under another number. */
  publishedPort: (instanceId: string) => number | undefined,
): Ask {
  return async ({ instanceId, address, template, probe, timeoutMs }) => {
    const { kind, path, headers, command } = probe;
    const { protocol } = template;
    const port = publishedPort(instanceId) ?? template.port;
    if (kind !== 'exec') {
      return prober({ address, port, kind, path, protocol, timeoutMs, ...(headers ? { headers } : {}) });
    }
    return (await runtime.exec(instanceId, command ?? [], { timeoutMs })) === 0;
  };
}
