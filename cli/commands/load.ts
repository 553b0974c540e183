import { lookup } from 'node:dns/promises';
import { parseArgs } from 'node:util';
import { OPERATIONS } from '@skyrun/contracts';
import { type LoadReport, runLoad, steady } from '@skyrun/workload';
import { type Command, EXIT, UsageError } from '../command.ts';
import { chooseProject, one } from '../project.ts';

export const load: Command = {
  name: 'load',
  usage:
    '<service> [--rate 50] [--duration 10s] [--path /] [--method GET] [--timeout 30s] [--max-in-flight 1000] [--max-failed 0] [--max-p99 MS] [--project P]',
  summary: 'Send a steady load to a service and print a verdict',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      allowPositionals: true,
      options: {
        rate: { type: 'string', default: '50' },
        duration: { type: 'string', default: '10s' },
        path: { type: 'string', default: '/' },
        method: { type: 'string', default: 'GET' },
        timeout: { type: 'string', default: '30s' },
        'max-in-flight': { type: 'string', default: '1000' },
        'max-failed': { type: 'string', default: '0' },
        'max-p99': { type: 'string' },
        project: { type: 'string' },
      },
    });
    const name = one(positionals, 'the service');
    const { output, clock, signal } = context;
    const client = await context.client();
    const project = await chooseProject(context, client, values.project);
    const service = await client.call(OPERATIONS.getService, { params: { project, service: name } });
    const url = new URL(service.status.url);
    const report = await runLoad({
      connect: { host: await connectableHost(url.hostname), port: Number(url.port || 80) },
      hostHeader: url.host,
      path: values.path,
      method: values.method.toUpperCase(),
      arrivals: steady({
        requestsPerSecond: positive(values.rate, '--rate'),
        durationMs: milliseconds(values.duration, '--duration'),
      }),
      timeoutMs: milliseconds(values.timeout, '--timeout'),
      maxInFlight: positive(values['max-in-flight'], '--max-in-flight'),
      clock,
      signal,
      onSecond: (second) =>
        output.progress(
          `${Math.round(second.elapsedMs / 1000)}s  ${second.requestsPerSecond.toFixed(0)} req/s  in flight ${second.inFlight}  p50 ${format(second.p50Ms)}  p99 ${format(second.p99Ms)}  errors ${second.errors}`,
        ),
    });
    const maxP99 = values['max-p99'] === undefined ? undefined : positive(values['max-p99'], '--max-p99');
    const complaints = verdict(report, Number(values['max-failed']), maxP99);
    if (output.json)
      output.data({
        service: name,
        project,
        ...report,
        verdict: complaints.length === 0 ? 'pass' : 'fail',
        complaints,
      });
    else printReport(report, complaints, (text) => output.line(text));
    return complaints.length === 0 ? EXIT.ok : EXIT.threshold;
  },
};

/** Names under `localhost` are loopback by RFC 6761 even where the machine's resolver does not know them. */
async function connectableHost(host: string): Promise<string> {
  if (host === 'localhost' || host.endsWith('.localhost')) return '127.0.0.1';
  return (await lookup(host)).address;
}

function verdict(report: LoadReport, maxFailed: number, maxP99: number | undefined): string[] {
  const complaints: string[] = [];
  if (report.failed > maxFailed) complaints.push(`${report.failed} requests failed; at most ${maxFailed} may`);
  if (report.notSent > 0) complaints.push(`${report.notSent} requests were not sent: too many in flight`);
  const { p99 } = report.latencyMs;
  if (maxP99 !== undefined && p99 !== null && p99 > maxP99)
    complaints.push(`p99 is ${format(p99)}; at most ${maxP99} ms`);
  return complaints;
}

function printReport(report: LoadReport, complaints: readonly string[], line: (text: string) => void): void {
  const { latencyMs: latency } = report;
  line(`requests  ${report.sent} sent, ${report.ok} ok, ${report.failed} failed, ${report.notSent} not sent`);
  line(`rate      ${report.requestsPerSecond.toFixed(1)} req/s over ${(report.elapsedMs / 1000).toFixed(1)} s`);
  line(
    `latency   p50 ${format(latency.p50)}  p95 ${format(latency.p95)}  p99 ${format(latency.p99)}  max ${format(latency.max)}`,
  );
  line(`status    ${JSON.stringify(report.statuses)}  errors ${JSON.stringify(report.errors)}`);
  line(complaints.length === 0 ? 'PASS' : `FAIL      ${complaints.join('; ')}`);
}

function format(ms: number | null): string {
  return ms === null ? '-' : `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}

function positive(text: string, flag: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new UsageError(`${flag} ${text}: expected a number above 0`);
  return value;
}

/** `500ms`, `10s`, `2m`; a bare number is seconds. */
export function milliseconds(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text);
  if (!match) throw new UsageError(`${flag} ${text}: expected a time such as 500ms, 10s or 2m`);
  const factor = { ms: 1, s: 1000, m: 60_000 }[match[2] ?? 's'] ?? 1000;
  return Number(match[1]) * factor;
}
