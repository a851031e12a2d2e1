import { groupHeaderOf, groupParentOf, type GroupParent } from '../../protocol/groups.ts';
import { readField } from '../../protocol/row.ts';
import type { Layout } from '../../protocol/layout.ts';
import type { Schema, SubmittedDefinition } from '../../protocol/schema.ts';
import type { EngineContext } from '../engine-context.ts';
import type { LocalStore } from '../store/local-store.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import type { Records, WorkingRecord } from '../read/records.ts';
import type { HeldImage } from '../store/rows.ts';

/** An object's place in its transaction group (rule A15). */
export interface GroupPlace {
  /** How it hangs on the object above; `null` at the top. */
  readonly parent: GroupParent | null;
  /** The object that leads the group; `null` outside groups. */
  readonly header: string | null;
  /** How many objects are above it. */
  readonly depth: number;
  /** What hangs on it, and by which field. */
  readonly children: readonly (readonly [object: string, field: string])[];
  /** Its masters, whether they lead its group or not, and by which fields it hangs on them (rule A35). */
  readonly masters: readonly (readonly [object: string, field: string])[];
}

/** The transaction groups of a schema, by object. */
export type GroupPlaces = ReadonlyMap<string, GroupPlace>;

/** Reads the groups out of a schema, once. */
export function groupPlaces(schema: Schema): GroupPlaces {
  const parents = Object.keys(schema.objects).map((object) => [object, groupParentOf(schema, object)] as const);
  const places = new Map<string, GroupPlace>();
  for (const [object, parent] of parents) {
    const children = parents.flatMap(([child, above]) => (above?.target === object ? [[child, above.field] as const] : []));
    let depth = 0;
    for (let above = parent; above !== null; above = groupParentOf(schema, above.target)) depth++;
    const masters = Object.entries(schema.objects[object]!.fields).flatMap(([field, { parent: isMaster, target }]) => (isMaster === true ? [[target!, field] as const] : []));
    places.set(object, { parent, header: groupHeaderOf(schema, object), depth, children, masters });
  }
  return places;
}

/** Says whether several records of an object's group can be saved together: an object that only can be submitted leads none but itself. */
export function isGrouped({ parent, children }: GroupPlace): boolean {
  return parent !== null || children.length > 0;
}

/** Says whether a record's row is in one of the states that close it. */
export function isSubmitted(submitted: SubmittedDefinition | undefined, layout: Layout, row: Uint8Array | null): boolean {
  const state = submitted && readField(layout, row, submitted.field);
  return typeof state === 'string' && submitted?.values.includes(state) === true;
}

/** Rows that a save is about to change: as the user sees them after it, `null` where it deletes them. */
export type RowsAfter = ReadonlyMap<Key, Uint8Array | null>;

/** Finds its way through transaction groups on the rows that the user sees. What it has read, it keeps: make one per step. */
export class GroupFinder {
  readonly #store: LocalStore;
  readonly #records: Records;
  readonly #places: GroupPlaces;
  readonly #known = new Map<Key, WorkingRecord>();

  constructor({ store, records, places }: Pick<EngineContext, 'store' | 'records' | 'places'>) {
    this.#store = store;
    this.#records = records;
    this.#places = places;
  }

  /** What is held of all records looked at so far. */
  get bases(): ReadonlyMap<Key, HeldImage> {
    return new Map([...this.#known].flatMap(([key, { base }]) => (base === null ? [] : [[key, base] as const])));
  }

  /** All records looked at so far. */
  get keys(): Iterable<Key> {
    return this.#known.keys();
  }

  /** Reads records in one go. */
  async load(keys: readonly Key[]): Promise<void> {
    const missing = keys.filter((key) => !this.#known.has(key));
    if (missing.length > 0) for (const [key, record] of await this.#records.readAll(missing)) this.#known.set(key, record);
  }

  /** A record as the user sees it now. */
  readonly record = async (key: Key): Promise<WorkingRecord> => {
    await this.load([key]);
    return this.#known.get(key)!;
  };

  /** The records above one in its group, the nearest first, as far as this device knows them: the last one leads the group. */
  async above(key: Key, after: RowsAfter = NO_ROWS): Promise<Key[]> {
    const found: Key[] = [];
    for (let at = key; ; ) {
      const { object } = splitKey(at);
      const { parent } = this.#places.get(object)!;
      if (parent === null) return found;
      const changed = after.get(at);
      const row = changed === undefined ? (await this.record(at)).row : changed;
      const id = readField(this.#store.layout(object), row, parent.field);
      if (typeof id !== 'string') return found;
      found.push((at = keyOf(parent.target, id)));
    }
  }

  /** The members of groups that hang on records and are on this device, parents before children; not the records themselves. */
  async below(tops: readonly Key[], after: RowsAfter = NO_ROWS): Promise<Key[]> {
    const found = new Set<Key>();
    let level = new Set(tops);
    while (level.size > 0) {
      const next = new Set<Key>();
      for (const object of new Set([...level].map((key) => splitKey(key).object))) {
        for (const [child, field] of this.#places.get(object)!.children) {
          const layout = this.#store.layout(child);
          const hangsOn = (row: Uint8Array | null): boolean => {
            const id = readField(layout, row, field);
            return typeof id === 'string' && level.has(keyOf(object, id));
          };
          for await (const rows of this.#records.scanRows(child)) {
            for (const [key, row] of rows) if (hangsOn(after.get(key) ?? row) && !found.has(key)) next.add(key);
          }
        }
      }
      for (const key of next) found.add(key);
      level = next;
    }
    return [...found];
  }
}

const NO_ROWS: RowsAfter = new Map();
