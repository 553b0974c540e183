import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';

export interface Region {
  readonly region: string;
  /** Name of the price list. */
  readonly priceList: string;
}

const REGIONS = new URL('../price-lists/regions/cloud-run.yaml', import.meta.url);
const regionsSchema = z.record(z.string(), z.array(z.string().regex(/^[a-z]+(-[a-z0-9]+)+$/)).min(1));

/** The regions that have a price list, by their names. */
export async function readRegions(): Promise<Region[]> {
  const lists = regionsSchema.parse(parse(await readFile(REGIONS, 'utf8')));
  return Object.entries(lists)
    .flatMap(([priceList, regions]) => regions.map((region) => ({ region, priceList })))
    .sort((a, b) => (a.region < b.region ? -1 : 1));
}
