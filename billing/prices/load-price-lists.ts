import { readdir, readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { type PriceList, parsePriceList } from './price-list.ts';

/** The price lists that ship with Skyrun. */
export const PRICE_LISTS = new URL('../price-lists/', import.meta.url);

export interface PriceListFile {
  readonly name: string;
  /** As the file says it. */
  readonly document: unknown;
  readonly list: PriceList;
}

/** Reads every `*.yaml` of a folder; throws PriceListError naming the file that does not fit. */
export async function readPriceLists(folder: URL): Promise<PriceListFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  return Promise.all(
    names.map(async (name) => {
      const document: unknown = parse(await readFile(new URL(name, folder), 'utf8'));
      return { name, document, list: parsePriceList(document, name) };
    }),
  );
}
