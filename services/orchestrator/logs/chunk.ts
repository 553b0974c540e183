import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import type { RuntimeLogLine } from '../runtime/runtime.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

const POSITION_CHARACTERS = 30;
const STREAMS = { stdout: 'o', stderr: 'e' } as const;

/** `<position><o|e><text>` per line, as zstd. */
export async function packLines(lines: readonly RuntimeLogLine[]): Promise<Buffer> {
  return compress(lines.map(({ position, stream, text }) => `${position}${STREAMS[stream]}${text}\n`).join(''));
}

export async function unpackLines(body: Uint8Array): Promise<RuntimeLogLine[]> {
  const text = (await decompress(body)).toString('utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const position = line.slice(0, POSITION_CHARACTERS);
      return {
        at: Date.parse(position),
        position,
        stream: line[POSITION_CHARACTERS] === STREAMS.stderr ? ('stderr' as const) : ('stdout' as const),
        text: line.slice(POSITION_CHARACTERS + 1),
      };
    });
}
