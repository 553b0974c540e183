import type { RuntimeLogLine } from '../runtime.ts';

const HEADER_BYTES = 8;
const STDERR = 2;
/** The engine itself cuts lines into parts of 16 KiB, which are put together again up to here; the rest is left out. */
const MAX_LINE_CHARACTERS = 64 * 1024;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /;

/**
 * Takes apart the engine's multiplexed log stream: frames of `[stream, 0, 0, 0, length ×4]` and payload, each line
 * led by its RFC 3339 time and a space, as is each part of a long one.
 */
export async function* logLines(source: AsyncIterable<Buffer>): AsyncIterable<RuntimeLogLine> {
  let rest: Buffer = Buffer.alloc(0);
  const partial = { stdout: '', stderr: '' };
  for await (const chunk of source) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER_BYTES) {
      const length = rest.readUInt32BE(4);
      if (rest.length < HEADER_BYTES + length) break;
      const stream = rest[0] === STDERR ? 'stderr' : 'stdout';
      const frame = rest.toString('utf8', HEADER_BYTES, HEADER_BYTES + length);
      const text = partial[stream] === '' ? frame : partial[stream] + frame.replace(TIME, '');
      rest = rest.subarray(HEADER_BYTES + length);
      const parts = text.split('\n');
      partial[stream] = (parts.pop() ?? '').slice(0, MAX_LINE_CHARACTERS);
      for (const part of parts) yield readLine(part, stream);
    }
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    if (partial[stream] !== '') yield readLine(partial[stream], stream);
  }
}

function readLine(line: string, stream: 'stdout' | 'stderr'): RuntimeLogLine {
  const space = line.indexOf(' ');
  const position = line.slice(0, space);
  const at = Date.parse(position);
  const text = line.slice(space + 1, MAX_LINE_CHARACTERS).replace(/\r$/, '');
  return { at: Number.isFinite(at) ? at : 0, position, stream, text };
}
