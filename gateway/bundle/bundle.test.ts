import { execFile } from 'node:child_process';
import { readdir, readFile, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gatewayCalls, registryOperations } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { bundleGateway } from './bundle.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

test('a gateway is one program that needs no types stripped, made once for the same sources', async () => {
  // Two at once, as two installations that start: one of them makes it.
  const [program, again] = await Promise.all([bundleGateway(ROOT), bundleGateway(ROOT)]);
  expect(again).toBe(program);
  const before = await stat(dirname(program));
  const anHourAgo = before.mtimeMs / 1000 - 3600;
  await utimes(dirname(program), anHourAgo, anHourAgo);
  expect(await bundleGateway(ROOT)).toBe(program);
  // A start says that it is in use, so that it outlives the next change of the sources.
  expect((await stat(dirname(program))).mtimeMs).toBeGreaterThanOrEqual(before.mtimeMs);
  const source = await readFile(program, 'utf8');
  // Names stay for stack traces; comments do not.
  expect(source).toContain('function createGateway(');
  expect(source).not.toContain('Reading it from top to bottom');

  // Of the API it knows who answers which path, and not what is asked and answered there.
  const parts = (await readdir(dirname(program))).map((name) => readFile(join(dirname(program), name), 'utf8'));
  const everything = (await Promise.all(parts)).join('');
  expect(everything).toContain('/api/v1/projects/{project}/services/{service}/rollbacks');
  expect(everything).not.toContain(registryOperations.rollBack.summary);
  expect(everything).toContain(gatewayCalls.followRoutes.summary);

  // Megabytes that few need come late: the client of Redis asks for TLS where a connection does.
  expect(await loadedAtOnce(program)).not.toMatch(/^import .*"node:(tls|https|http2|zlib)"/m);
  expect(everything.match(/tls_1 = \{ connect/g)).toHaveLength(2);

  // It runs up to the refusal of a configuration that lacks everything, outside of the repository too.
  const ended = promisify(execFile)(process.execPath, [program], { cwd: '/', env: { PATH: '' } });
  await expect(ended).rejects.toMatchObject({ stderr: expect.stringContaining('SKYRUN_INTERNAL_TOKEN') });
  expect(dirname(program)).toContain('gateway/dist/');
}, 120_000);

/** The texts of a module and of all that it imports as it is loaded. */
async function loadedAtOnce(entry: string): Promise<string> {
  const found = new Map<string, string>();
  const read = async (file: string): Promise<void> => {
    if (found.has(file)) return;
    found.set(file, '');
    const text = await readFile(file, 'utf8');
    found.set(file, text);
    for (const [, path] of text.matchAll(/^import .*"(\.\/[^"]+)"/gm)) await read(join(dirname(entry), path as string));
  };
  await read(entry);
  return [...found.values()].join('\n');
}
