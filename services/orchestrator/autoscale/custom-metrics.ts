import { request } from 'node:http';
import type { ScaleTarget } from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';
import type { World } from '../reconcile/world.ts';
import { readMetric } from './prometheus-text.ts';

/** Answers the text at a path of an instance. Rejects where there is none. */
export type Scrape = (address: string, port: number, path: string) => Promise<string>;

export interface CustomMetrics {
  /** Asks ready instances of revisions that scale by a metric of their own. */
  tick(): Promise<void>;
  /** Mean over the instances that told it lately; null where none did. */
  value(revisionId: string, target: ScaleTarget): number | null;
}

/** What was told longer ago says nothing about now. */
const FRESH_MS = 15_000;
const TIMEOUT_MS = 1_000;
const MOST_BYTES = 1024 * 1024;

export function createCustomMetrics({
  world,
  clock,
  scrape = scrapeHttp,
}: {
  readonly world: World;
  readonly clock: Clock;
  readonly scrape?: Scrape;
}): CustomMetrics {
  const told = new Map<string, { readonly at: number; readonly text: string }>();
  const keyOf = (instanceId: string, path: string) => `${instanceId} ${path}`;
  return {
    async tick() {
      const now = clock.now();
      for (const [key, { at }] of told) if (now - at > FRESH_MS) told.delete(key);
      const questions: Promise<void>[] = [];
      for (const { record } of world.entries.values()) {
        const { instanceId, address, port, state, revisionId } = record;
        const targets = world.desired?.get(revisionId)?.revision.template.scaling.targets;
        if (!targets || state !== 'ready' || address === null) continue;
        const paths = new Set(targets.flatMap(({ metric, path }) => (metric === 'custom' ? [path] : [])));
        for (const path of paths) {
          const answer = scrape(address, port, path);
          questions.push(
            answer
              .then((text) => void told.set(keyOf(instanceId, path), { at: now, text }))
              .catch(() => void told.delete(keyOf(instanceId, path))),
          );
        }
      }
      await Promise.all(questions);
    },
    value(revisionId, { name, path }) {
      const values: number[] = [];
      for (const { record } of world.of(revisionId)) {
        const text = told.get(keyOf(record.instanceId, path))?.text;
        const value = text === undefined || name === undefined ? null : readMetric(text, name);
        if (record.state === 'ready' && value !== null) values.push(value);
      }
      return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
    },
  };
}

const scrapeHttp: Scrape = (host, port, path) =>
  new Promise((resolve, reject) => {
    const headers = { accept: 'text/plain;version=0.0.4', 'user-agent': 'skyrun-autoscaler', connection: 'close' };
    const options = { host, port, path, headers, agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) } as const;
    const asked = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MOST_BYTES) asked.destroy(new Error('the answer is too long'));
      });
      response.once('error', reject);
      response.once('end', () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`status ${response.statusCode}`)),
      );
    });
    asked.once('error', reject);
    asked.end();
  });
