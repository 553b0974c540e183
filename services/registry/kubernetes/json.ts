/** Parsed JSON. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object under a key; empty where there is none. */
export function objectAt(value: unknown, ...path: readonly string[]): JsonObject {
  let at: unknown = value;
  for (const key of path) at = isObject(at) ? at[key] : undefined;
  return isObject(at) ? at : {};
}

export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const parent = objectAt(value, ...path.slice(0, -1));
  const found = parent[path.at(-1) ?? ''];
  return typeof found === 'string' ? found : undefined;
}

/** Through JSON, so that what is not there is not a key: the form in which objects are stored, compared and sent. */
export function toJson(value: unknown): JsonObject {
  const plain: unknown = JSON.parse(JSON.stringify(value));
  return isObject(plain) ? plain : {};
}

/** Texts of a map; other values are left out. */
export function texts(value: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
