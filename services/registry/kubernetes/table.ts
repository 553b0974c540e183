import { isObject, type Json, type JsonObject, objectAt, textAt } from './json.ts';
import type { Column } from './kinds.ts';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  /** Unix milliseconds, for ages. */
  readonly now: number;
  readonly columns: readonly Column[];
  readonly include: IncludeObject;
  /** Leave the definitions out: a watcher has had them. */
  readonly continued?: boolean;
  readonly metadata?: JsonObject;
}

const NAME = { name: 'Name', type: 'string', format: 'name', description: 'its name', priority: 0 };

/** Objects as rows (`meta.k8s.io/v1` Table), which is how `kubectl get` prints columns that it does not know. */
export function tableOf(objects: readonly JsonObject[], options: TableOptions): JsonObject {
  const { columns, include, now, continued = false, metadata = {} } = options;
  const definitions = [
    NAME,
    ...columns.map(({ name, type, description, priority }) => ({ name, type, format: '', description, priority })),
  ];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: continued ? [] : definitions,
    rows: objects.map((object) => ({
      cells: [textAt(object, 'metadata', 'name') ?? '', ...columns.map((column) => cell(object, column, now))],
      ...(include === 'None' ? {} : { object: include === 'Object' ? object : partialOf(object) }),
    })),
  };
}

/** As `kubectl` prints ages: 45s, 7m, 3h, 12d. */
function age(since: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

function cell(object: JsonObject, { at, type }: Column, now: number): Json {
  if ('condition' in at) {
    const conditions = objectAt(object, 'status')['conditions'];
    if (!Array.isArray(conditions)) return null;
    const found = conditions.find((condition) => isObject(condition) && condition['type'] === at.condition);
    return isObject(found) ? (found[at.field] ?? null) : null;
  }
  const value = objectAt(object, ...at.slice(0, -1))[at.at(-1) ?? ''] ?? null;
  return type === 'date' && typeof value === 'string' ? age(value, now) : value;
}

export function partialOf(object: JsonObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: objectAt(object, 'metadata') };
}

export const NAMESPACE_COLUMNS: readonly Column[] = [
  { name: 'Status', type: 'string', description: 'Active', priority: 0, at: ['status', 'phase'] },
  {
    name: 'Age',
    type: 'date',
    description: 'since when it exists',
    priority: 0,
    at: ['metadata', 'creationTimestamp'],
  },
];
