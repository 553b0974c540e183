import type { RuntimeLogLine } from '../runtime.ts';

const HEADER_BYTES = 8;
const STDERR = 2;
/** The engine cuts lines at 16 KiB itself; more without an end is no line. */
const MAX_LINE_BYTES = 64 * 1024;

/**
 * Takes apart the engine's multiplexed log stream: frames of `[stream, 0, 0, 0, length ×4]` and payload, each line
 * led by its RFC 3339 time and a space.
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
      const text = partial[stream] + rest.toString('utf8', HEADER_BYTES, HEADER_BYTES + length);
      rest = rest.subarray(HEADER_BYTES + length);
      const parts = text.split('\n');
      partial[stream] = parts.pop() ?? '';
      for (const part of parts) yield readLine(part, stream);
      if (partial[stream].length > MAX_LINE_BYTES) {
        yield readLine(partial[stream], stream);
        partial[stream] = '';
      }
    }
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    if (partial[stream] !== '') yield readLine(partial[stream], stream);
  }
}

function readLine(line: string, stream: 'stdout' | 'stderr'): RuntimeLogLine {
  const space = line.indexOf(' ');
  const at = Date.parse(line.slice(0, space));
  const text = line.slice(space + 1).replace(/\r$/, '');
  return { at: Number.isFinite(at) ? at : 0, stream, text };
}
