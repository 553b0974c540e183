import { parseArgs } from 'node:util';
import { LOG_SEVERITIES, OPERATIONS } from '@skyrun/contracts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { chooseProject, one } from '../project.ts';
import { readMoment } from '../time.ts';

/** With a beginning the reader wants all since then, as far as one answer goes. */
const ALL_SINCE = '10000';

export const logs: Command = {
  name: 'logs',
  usage:
    '<service> [-f|--follow] [--since 1h|TIME] [--until TIME] [--grep TEXT] [--severity error] [--stream stderr] [--instance ID] [--revision NAME] [--tail 200] [--project P]',
  summary: 'Print and search what a service’s instances wrote, those that are gone included',
  async run(context) {
    const { values, positionals } = parseArgs({
      args: [...context.args],
      allowPositionals: true,
      options: {
        follow: { type: 'boolean', short: 'f', default: false },
        since: { type: 'string' },
        until: { type: 'string' },
        grep: { type: 'string' },
        severity: { type: 'string' },
        stream: { type: 'string' },
        instance: { type: 'string' },
        revision: { type: 'string' },
        tail: { type: 'string' },
        project: { type: 'string' },
      },
    });
    const service = one(positionals, 'the service');
    const { instance, revision } = values;
    const severity = oneOf('severity', LOG_SEVERITIES, values.severity);
    const stream = oneOf('stream', ['stdout', 'stderr'], values.stream);
    const now = context.clock.now();
    const filter = {
      search: values.grep,
      since: values.since === undefined ? undefined : readMoment('since', values.since, now),
      until: values.until === undefined ? undefined : readMoment('until', values.until, now),
      severity,
      stream,
      instance,
      revision,
    };
    const client = await context.client();
    const project = await chooseProject(context, client, values.project);
    const lines = client.stream(OPERATIONS.followLogs, {
      params: { project, service },
      query: {
        follow: String(values.follow),
        tail: values.tail ?? (values.since === undefined ? '200' : ALL_SINCE),
        ...filter,
      },
      signal: context.signal,
    });
    let found = 0;
    for await (const line of lines) {
      found += 1;
      if (context.output.json) context.output.data(line);
      else context.output.line(`${line.at} ${line.instanceId.slice(-8)} ${line.text}`);
    }
    const narrowed = Object.values(filter).some((value) => value !== undefined);
    if (found === 0 && !context.output.json) {
      context.output.progress(narrowed ? 'no line matches' : `${service} has not written anything that is still kept`);
    }
    return EXIT.ok;
  },
};

function oneOf<Word extends string>(
  option: string,
  words: readonly Word[],
  text: string | undefined,
): Word | undefined {
  if (text === undefined) return undefined;
  const word = words.find((known) => known === text);
  if (word === undefined) throw new UsageError(`--${option}: expected one of ${words.join(', ')}`);
  return word;
}
