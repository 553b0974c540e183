import { LOG_SEVERITIES, type LogSeverity } from '@skyrun/contracts';
import { z } from 'zod';

/** What programs write, and what it means here. */
const WORDS: ReadonlyMap<string, LogSeverity> = new Map([
  ['trace', 'debug'],
  ['verbose', 'debug'],
  ['debug', 'debug'],
  ['info', 'info'],
  ['notice', 'info'],
  ['warn', 'warning'],
  ['warning', 'warning'],
  ['err', 'error'],
  ['error', 'error'],
  ['crit', 'critical'],
  ['critical', 'critical'],
  ['alert', 'critical'],
  ['emergency', 'critical'],
  ['fatal', 'critical'],
  ['panic', 'critical'],
]);

/** Beyond this a word belongs to the message. */
const HEAD_CHARACTERS = 80;
const HEAD_WORD =
  /(?:^|[\s[(|<"=])(trace|verbose|debug|info|notice|warn|warning|err|error|crit|critical|alert|emergency|fatal|panic)(?=[\s\])|>":;,]|$)/i;
const structured = z.object({
  severity: z.union([z.string(), z.number()]).optional(),
  level: z.union([z.string(), z.number()]).optional(),
});

/** What a line says of its own urgency; undefined when it does not. */
export function severityOf(text: string): LogSeverity | undefined {
  if (text.startsWith('{')) {
    const fields = structured.safeParse(parsed(text)).data;
    const said = fields?.severity ?? fields?.level;
    if (typeof said === 'number') return byNumber(said);
    if (fields) return said === undefined ? undefined : WORDS.get(said.toLowerCase());
  }
  const word = HEAD_WORD.exec(text.slice(0, HEAD_CHARACTERS))?.[1];
  return word === undefined ? undefined : WORDS.get(word.toLowerCase());
}

/** pino's and bunyan's numbers. */
function byNumber(level: number): LogSeverity {
  if (level >= 60) return 'critical';
  if (level >= 50) return 'error';
  if (level >= 40) return 'warning';
  return level >= 30 ? 'info' : 'debug';
}

export function isAtLeast(severity: LogSeverity | undefined, least: LogSeverity): boolean {
  return severity !== undefined && LOG_SEVERITIES.indexOf(severity) >= LOG_SEVERITIES.indexOf(least);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A line that only looks like JSON is text.
    return null;
  }
}
