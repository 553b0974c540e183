import { expect, test } from 'vitest';
import { PRICE_LISTS, readPriceLists } from './load-price-lists.ts';
import { readRegions } from './regions.ts';

test('each region is named once and has a list that ships', async () => {
  const regions = await readRegions();
  const shipped = new Set((await readPriceLists(PRICE_LISTS)).map(({ list }) => list.name));
  expect(new Set(regions.map(({ region }) => region)).size).toBe(regions.length);
  for (const { priceList } of regions) expect(shipped).toContain(priceList);
  expect(regions.find(({ region }) => region === 'us-central1')?.priceList).toBe('cloud-run-tier-1');
  expect(regions.find(({ region }) => region === 'europe-west3')?.priceList).toBe('cloud-run-tier-2');
});
