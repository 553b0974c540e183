import { isDeepStrictEqual } from 'node:util';
import { isObject, type Json, type JsonObject, objectAt } from './json.ts';

/**
 * Who owns which field (Kubernetes' server-side apply). A list is one field, as in Knative's own definitions; a map is as
 * many as it has keys. Only what a person can set is owned: labels, annotations and the spec.
 */
export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** RFC 3339. */
  readonly time: string;
  readonly paths: readonly Path[];
}

export type Path = readonly string[];

export interface Conflict {
  readonly manager: string;
  readonly path: Path;
}

const same = (one: Path, other: Path) => isDeepStrictEqual(one, other);
const within = (paths: readonly Path[], path: Path) => paths.some((each) => same(each, path));
/** One is the other, or lies in it. */
const overlap = (one: Path, other: Path) => one.every((key, index) => index >= other.length || other[index] === key);

/** Every field of an object that somebody can own. */
export function fieldsOf(object: JsonObject): Path[] {
  return [
    ...leaves(objectAt(object, 'metadata', 'labels'), ['metadata', 'labels']),
    ...leaves(objectAt(object, 'metadata', 'annotations'), ['metadata', 'annotations']),
    ...leaves(objectAt(object, 'spec'), ['spec']),
  ];
}

function leaves(value: Json, path: Path): Path[] {
  if (!isObject(value)) return [path];
  const entries = Object.entries(value);
  if (entries.length === 0) return path.length > 2 ? [path] : [];
  return entries.flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

function valueAt(object: JsonObject, path: Path): Json | undefined {
  let at: Json | undefined = object;
  for (const key of path) at = isObject(at) ? at[key] : undefined;
  return at;
}

export interface Change {
  readonly live: JsonObject;
  readonly managers: readonly Manager[];
  readonly manager: string;
  readonly apiVersion: string;
  readonly now: string;
}

/** After a create, update or patch: what changed is the manager's, and nobody else's. */
export function afterUpdate(change: Change & { readonly next: JsonObject }): Manager[] {
  const { live, next, managers, manager } = change;
  const before = fieldsOf(live);
  const after = fieldsOf(next);
  const changed = after.filter((path) => !isDeepStrictEqual(valueAt(live, path), valueAt(next, path)));
  const gone = before.filter((path) => !within(after, path));
  if (changed.length === 0 && gone.length === 0) return [...managers];
  const own = managers.find((each) => each.manager === manager && each.operation === 'Update');
  const left = managers
    .filter((each) => each !== own)
    .map((each) => without(each, [...changed, ...gone]))
    .filter(({ paths }) => paths.length > 0);
  const kept = (own?.paths ?? []).filter((path) => within(after, path) && !within(changed, path));
  const paths = [...kept, ...changed];
  return paths.length === 0 ? left : [...left, entry(change, 'Update', paths)];
}

/**
 * What an applied configuration makes of the live object: its fields set, and those that its manager applied before and now
 * leaves out taken away, unless somebody else owns them.
 */
export function merged(change: Change & { readonly applied: JsonObject }): JsonObject {
  const { live, applied, managers, manager } = change;
  const wanted = fieldsOf(applied);
  const own = managers.find((each) => each.manager === manager && each.operation === 'Apply');
  const others = managers.filter((each) => each !== own).flatMap(({ paths }) => paths);
  const result = structuredClone(live);
  for (const path of own?.paths ?? []) {
    if (!within(wanted, path) && !within(others, path)) take(result, path);
  }
  for (const path of wanted) put(result, path, valueAt(applied, path) ?? null);
  return result;
}

/** Fields that the configuration would change although others own them. `next` is what would be stored. */
export function conflicts(change: Change & { readonly applied: JsonObject; readonly next: JsonObject }): Conflict[] {
  const { live, applied, next, managers, manager } = change;
  const changed = fieldsOf(applied).filter((path) => !isDeepStrictEqual(valueAt(live, path), valueAt(next, path)));
  return managers
    .filter((each) => each.manager !== manager || each.operation !== 'Apply')
    .flatMap((each) =>
      changed
        .filter((path) => each.paths.some((owned) => overlap(owned, path)))
        .map((path) => ({ manager: each.manager, path })),
    );
}

/** After an apply: its manager owns what it named, together with others, and alone what it has taken by force. */
export function afterApply(
  change: Change & { readonly applied: JsonObject; readonly taken: readonly Conflict[] },
): Manager[] {
  const { applied, managers, manager, taken } = change;
  const own = managers.find((each) => each.manager === manager && each.operation === 'Apply');
  const paths = fieldsOf(applied);
  const left = managers
    .filter((each) => each !== own)
    .map((each) =>
      without(
        each,
        taken.filter((conflict) => conflict.manager === each.manager).map(({ path }) => path),
      ),
    )
    .filter((each) => each.paths.length > 0);
  const unchanged =
    own !== undefined && own.paths.length === paths.length && paths.every((path) => within(own.paths, path));
  return [...left, unchanged ? own : entry(change, 'Apply', paths)];
}

function without(manager: Manager, paths: readonly Path[]): Manager {
  const left = manager.paths.filter((path) => !paths.some((gone) => overlap(path, gone)));
  return left.length === manager.paths.length ? manager : { ...manager, paths: left };
}

function entry({ manager, apiVersion, now }: Change, operation: Manager['operation'], paths: readonly Path[]): Manager {
  return { manager, operation, apiVersion, time: now, paths };
}

function take(object: JsonObject, path: Path): void {
  const parent = valueAt(object, path.slice(0, -1));
  if (isObject(parent)) delete parent[path.at(-1) ?? ''];
}

function put(object: JsonObject, path: Path, value: Json): void {
  let at = object;
  for (const key of path.slice(0, -1)) {
    const inner = at[key];
    const next: JsonObject = isObject(inner) ? inner : {};
    at[key] = next;
    at = next;
  }
  at[path.at(-1) ?? ''] = value;
}

/** As `metadata.managedFields` shows it. */
export function toManagedFields(managers: readonly Manager[]): JsonObject[] {
  return managers.map(({ manager, operation, apiVersion, time, paths }) => ({
    manager,
    operation,
    apiVersion,
    time,
    fieldsType: 'FieldsV1',
    fieldsV1: tree(paths),
  }));
}

function tree(paths: readonly Path[]): JsonObject {
  const root: JsonObject = {};
  for (const path of paths) {
    let at = root;
    for (const key of path) {
      const inner = at[`f:${key}`];
      const next: JsonObject = isObject(inner) ? inner : {};
      at[`f:${key}`] = next;
      at = next;
    }
  }
  return root;
}

/** Reads `metadata.managedFields` as a client sends it back; null for what is not such a list. */
export function fromManagedFields(value: Json | undefined): Manager[] | null {
  if (!Array.isArray(value)) return null;
  const managers: Manager[] = [];
  for (const item of value) {
    const { manager, operation, apiVersion, time, fieldsV1, subresource } = isObject(item) ? item : {};
    // What was written to a subresource is a server's business.
    if (typeof subresource === 'string' && subresource !== '') continue;
    if (typeof manager !== 'string' || (operation !== 'Apply' && operation !== 'Update')) return null;
    managers.push({
      manager,
      operation,
      apiVersion: typeof apiVersion === 'string' ? apiVersion : '',
      time: typeof time === 'string' ? time : '',
      paths: isObject(fieldsV1) ? pathsOf(fieldsV1, []) : [],
    });
  }
  return managers;
}

function pathsOf(node: JsonObject, path: Path): Path[] {
  const fields = Object.entries(node).filter(([key]) => key.startsWith('f:'));
  if (fields.length === 0) return path.length === 0 ? [] : [path];
  return fields.flatMap(([key, inner]) => (isObject(inner) ? pathsOf(inner, [...path, key.slice(2)]) : []));
}
