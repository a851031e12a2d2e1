import { createReadStream, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { boolean, json, number, parent, reference, text, type Field, type FieldValue } from '../../src/schema.ts';

/** One record of a snapshot. */
export interface DataRecord {
  readonly object: string;
  readonly id: string;
  readonly master?: string;
  readonly fields: Readonly<Record<string, FieldValue>>;
}

/** One edited record of a log: previous and next value by field. */
export interface DataEdit {
  readonly ts: string;
  readonly commit: string;
  readonly object: string;
  readonly id: string;
  readonly op: 'create' | 'update' | 'delete';
  readonly master?: string;
  readonly fields: Readonly<Record<string, readonly [FieldValue, FieldValue]>>;
}

/** The folder of real data beside the project, or `null` where there is none: such tests then say that they are skipped. */
export function findRealData(set: string): string | null {
  const folder = fileURLToPath(new URL(`../../../shared/data/${set}`, import.meta.url));
  return existsSync(folder) ? folder : null;
}

export async function* readLines<T>(file: string): AsyncGenerator<T> {
  for await (const line of createInterface({ input: createReadStream(file).pipe(createGunzip()), crlfDelay: Infinity })) yield JSON.parse(line) as T;
}

export async function readAll<T>(file: string): Promise<T[]> {
  const all: T[] = [];
  for await (const line of readLines<T>(file)) all.push(line);
  return all;
}

/** Gathers what has the same name, in the order of first sight. */
export function groupBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = nameOf(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}

/** How the data's master link is mapped: to the header of a group, to a master that is saved by itself, or to any other record. */
export type MasterMapping = 'group' | 'parent' | 'lookup';

/** Collects what a data set's fields hold, and makes the objects of a schema from it; lists and maps become `json`. */
export class SchemaFromData {
  readonly #kinds = new Map<string, Map<string, Set<string>>>();
  readonly #masters = new Map<string, string>();

  add(object: string, master: string | undefined, values: Iterable<readonly [string, FieldValue]>): void {
    const fields = this.#kinds.get(object) ?? new Map<string, Set<string>>();
    this.#kinds.set(object, fields);
    if (master !== undefined) this.#masters.set(object, master.slice(0, master.indexOf('/')));
    for (const [name, value] of values) {
      const kinds = fields.get(name) ?? new Set();
      fields.set(name, kinds);
      if (value !== null) kinds.add(Array.isArray(value) ? 'json' : typeof value === 'object' ? 'json' : typeof value);
    }
  }

  objects(masters: MasterMapping | ((object: string) => MasterMapping)): Record<string, { readonly fields: Record<string, Field> }> {
    const mappingOf = typeof masters === 'function' ? masters : () => masters;
    const objects: Record<string, { fields: Record<string, Field> }> = {};
    for (const [object, fields] of [...this.#kinds].sort(([left], [right]) => (left < right ? -1 : 1))) {
      const target = this.#masters.get(object);
      objects[object] = { fields: {} };
      if (target !== undefined && this.#kinds.has(target)) objects[object].fields.master = masterField(mappingOf(object), target);
      for (const [name, kinds] of fields) objects[object].fields[name] = fieldOf(kinds);
    }
    return objects;
  }
}

function masterField(mapping: MasterMapping, target: string): Field {
  if (mapping === 'lookup') return reference(target);
  return parent(target, mapping === 'group' ? { group: true } : {});
}

function fieldOf(kinds: ReadonlySet<string>): Field {
  const [kind] = kinds;
  if (kinds.size !== 1) return kinds.size === 0 ? text() : json();
  if (kind === 'string') return text({ emptyText: 'keep' });
  if (kind === 'number') return number();
  return kind === 'boolean' ? boolean() : json();
}

/** The values that an edit writes, as the SDK holds them: none for a delete. */
export function nextValuesOf({ op, master, fields }: Pick<DataEdit, 'op' | 'master' | 'fields'>): Record<string, FieldValue> {
  if (op === 'delete') return {};
  return valuesOf({ fields: Object.fromEntries(Object.entries(fields).map(([name, [, next]]) => [name, next])), ...(master === undefined ? {} : { master }) });
}

/** A record's values as the SDK holds them: its fields, and its master's id. */
export function valuesOf(record: { readonly master?: string; readonly fields: Readonly<Record<string, FieldValue>> }): Record<string, FieldValue> {
  return { ...record.fields, ...(record.master === undefined ? {} : { master: record.master.slice(record.master.indexOf('/') + 1) }) };
}
