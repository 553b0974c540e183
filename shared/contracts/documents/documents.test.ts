import { expect, test } from 'vitest';
import { ALL_OPERATIONS } from '../api/operations.ts';
import { EVENT_TYPES } from '../events/catalogue.ts';
import { asyncApiDocument } from './asyncapi.ts';
import { openApiDocument } from './openapi.ts';

function danglingReferences(document: Record<string, unknown>): string[] {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
  return references.filter((path) => {
    let value: unknown = document;
    for (const part of path.split('/')) value = (value as Record<string, unknown> | undefined)?.[part];
    return value === undefined;
  });
}

test('OpenAPI has each public operation, no internal one, and every reference leads somewhere', () => {
  const document = openApiDocument('1.0.0');
  const text = JSON.stringify(document);
  for (const { id, permission } of ALL_OPERATIONS) {
    expect(text.includes(`"operationId":"${id}"`), id).toBe(permission !== 'internal');
  }
  expect(danglingReferences(document)).toEqual([]);
});

test('AsyncAPI has each event type, and every reference leads somewhere', () => {
  const document = asyncApiDocument('1.0.0');
  const text = JSON.stringify(document);
  for (const type of EVENT_TYPES) expect(text).toContain(`"address":"${type}"`);
  expect(danglingReferences(document)).toEqual([]);
});
