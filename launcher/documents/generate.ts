import { readFile, writeFile } from 'node:fs/promises';
import { asyncApiDocument, openApiDocument } from '@skyrun/contracts';
import { configurationTable } from './configuration.ts';

interface GeneratedDocument {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly text: string;
}

const ROOT = new URL('../../', import.meta.url);

/** The documents that are made from code; `./skyrun check` fails when a committed one differs. */
export async function generatedDocuments(): Promise<GeneratedDocument[]> {
  const { version } = JSON.parse(await readFile(new URL('package.json', ROOT), 'utf8')) as { version: string };
  return [
    { path: 'docs/api/openapi.json', text: `${JSON.stringify(openApiDocument(version), null, 2)}\n` },
    { path: 'docs/api/asyncapi.json', text: `${JSON.stringify(asyncApiDocument(version), null, 2)}\n` },
    { path: 'docs/configuration.md', text: configurationTable() },
  ];
}

/** Paths whose committed text differs from what the code says now. */
export async function staleDocuments(): Promise<string[]> {
  const stale: string[] = [];
  for (const { path, text } of await generatedDocuments()) {
    const committed = await readFile(new URL(path, ROOT), 'utf8').catch(() => '');
    if (committed !== text) stale.push(path);
  }
  return stale;
}

export async function writeDocuments(): Promise<void> {
  for (const { path, text } of await generatedDocuments()) await writeFile(new URL(path, ROOT), text);
}
