import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Span } from '../trace/spans.ts';

/** What spans are sent to: takes OTLP over HTTP in its JSON form. */
export interface Collector {
  readonly url: string;
  readonly spans: Span[];
  /** Service name and id of whoever sent last. */
  readonly resources: Readonly<Record<string, string>>[];
  readonly headers: Readonly<Record<string, unknown>>[];
  /** What it answers from now on; 0: nothing at all. */
  answer(status: number): void;
  close(): Promise<void>;
}

interface Batch {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue: string } }[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

export async function startCollector(): Promise<Collector> {
  const spans: Span[] = [];
  const resources: Record<string, string>[] = [];
  const headers: Record<string, unknown>[] = [];
  let status = 200;
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      if (status === 0) return;
      if (request.url !== '/v1/traces' || request.headers['content-type'] !== 'application/json') {
        response.writeHead(404).end();
        return;
      }
      headers.push(request.headers);
      if (status === 200) {
        const batch = JSON.parse(text) as Batch;
        for (const { resource, scopeSpans } of batch.resourceSpans) {
          resources.push(Object.fromEntries(resource.attributes.map(({ key, value }) => [key, value.stringValue])));
          for (const scope of scopeSpans) spans.push(...scope.spans);
        }
      }
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    resources,
    headers,
    answer(next) {
      status = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
