import { groupObjectsOf } from '../../protocol/groups.ts';
import { decodeValue, encodeCanonical, joinRow, NO_VALUE, splitRow } from '../../protocol/row.ts';
import type { Schema } from '../../protocol/schema.ts';
import { NO_VERSION } from '../../protocol/version.ts';
import { createId } from '../../shared/ids.ts';
import type { EngineContext } from '../engine-context.ts';
import { GroupFinder } from '../queue/groups.ts';
import type { RecordRef } from '../queue/outcomes.ts';
import { createdBy, referencesOf, type QueueEntry } from '../queue/queue-entry.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import type { Member } from '../store/rows.ts';

/** A group as the user sees it, and how its records were born. */
export interface WorkingGroup {
  readonly header: Key;
  /** Rows in the layouts of this build's schema, the header first, parents before children. */
  readonly rows: ReadonlyMap<Key, Uint8Array>;
  /** Records that the server never had: they keep their ids. */
  readonly isBornHere: (key: Key) => boolean;
}

/** What the copy of a group that was submitted elsewhere takes into account (rule A23). */
export interface DuplicateInput {
  readonly schema: Schema;
  readonly layoutOf: (object: string) => Member['layout'];
  readonly group: WorkingGroup;
  /** The entries of the group that wait, the first of them the one that the server answered; the copy takes the place of all. */
  readonly taken: readonly QueueEntry[];
  /** All that waits. */
  readonly entries: Iterable<QueueEntry>;
  readonly createId: () => string;
}

/** The entry that saves a group as a copy, and what the copy does not have. */
export interface DuplicatePlan {
  readonly copy: QueueEntry;
  /** The entries whose place it takes. */
  readonly taken: readonly QueueEntry[];
  /** The changes that the copy lacks, by entry, for the journal. */
  readonly notCopied: readonly QueueEntry[];
}

/** Reads a group as the user sees it; `null` when its header is deleted here, and there is nothing to copy. */
export async function readGroup(context: EngineContext, header: Key): Promise<WorkingGroup | null> {
  const finder = new GroupFinder(context);
  const read = await context.records.readAll([header, ...(await finder.below([header]))]);
  const rows = new Map([...read].flatMap(([key, { row }]) => (row === null ? [] : [[key, row]])));
  return rows.has(header) ? { header, rows, isBornHere: (key) => (read.get(key)?.base ?? null) === null } : null;
}

/**
 * Makes one entry of a group whose header was submitted elsewhere: the header and the listed kinds as they are here, as new records
 * that refer to one another. It takes the place of the first entry, or of the last where it refers to what was created in between.
 */
export function planDuplicate({ schema, layoutOf, group, taken, entries, createId: newId }: DuplicateInput): DuplicatePlan {
  const original = splitKey(group.header);
  const { copies } = schema.objects[original.object]?.submitted ?? {};
  const listed = new Set(copies === undefined ? groupObjectsOf(schema, original.object) : [original.object, ...copies]);
  const ids = new Map<Key, string>();
  for (const key of group.rows.keys()) {
    const { object, id } = splitKey(key);
    if (listed.has(object) && (key === group.header || hangsOnCopied(schema, layoutOf, group, key, ids))) ids.set(key, group.isBornHere(key) ? id : newId());
  }
  const members = [...ids].map(([key, id]): Member => {
    const { object } = splitKey(key);
    const layout = layoutOf(object);
    return { object, id, op: 'create', layout, base: NO_VERSION, mask: null, previous: null, next: copyRow(schema, layout, group.rows.get(key)!, ids) };
  });
  const isCopied = ({ object, id, op }: Member): boolean => ids.has(keyOf(object, id)) || (op === 'remove' && listed.has(object));
  const notCopied = taken.flatMap((entry) => {
    const left = entry.members.filter((member) => !isCopied(member));
    return left.length === 0 ? [] : [{ ...entry, members: left }];
  });
  const copy: QueueEntry = {
    ...taken[0]!,
    state: 'queued',
    number: null,
    members,
    headers: [{ object: original.object, id: ids.get(group.header)!, base: NO_VERSION }],
    duplicateOf: original,
    deferrals: 0,
    deferredSince: null,
    refusal: null,
    copied: { entries: taken.map(({ seq }) => seq), left: namesOf(notCopied) },
  };
  return { copy: { ...copy, seq: placeOf(copy, taken, entries, schema) }, taken, notCopied };
}

/** A child of something that is not copied would hang on the original. */
function hangsOnCopied(schema: Schema, layoutOf: DuplicateInput['layoutOf'], { rows }: WorkingGroup, key: Key, ids: ReadonlyMap<Key, string>): boolean {
  const { object } = splitKey(key);
  const layout = layoutOf(object);
  const values = splitRow(rows.get(key)!);
  return layout.fields.some(({ name, type }, position) => {
    const { parent, group, target } = schema.objects[object]!.fields[name]!;
    return parent === true && group === true && ids.has(keyOf(target!, String(decodeValue(type, values[position]!))));
  });
}

/** A row for a new record: without what only the server writes, its references following the records that are copied. */
function copyRow(schema: Schema, layout: Member['layout'], row: Uint8Array, ids: ReadonlyMap<Key, string>): Uint8Array {
  const { fields } = schema.objects[layout.object]!;
  const values = splitRow(row);
  return joinRow(
    layout.fields.map(({ name, type }, position) => {
      const { owner, target } = fields[name]!;
      if (owner !== 'device') return NO_VALUE;
      const to = target === undefined ? undefined : ids.get(keyOf(target, String(decodeValue(type, values[position]!))));
      return to === undefined ? values[position]! : encodeCanonical(type, to);
    }),
  );
}

function placeOf(copy: QueueEntry, taken: readonly QueueEntry[], entries: Iterable<QueueEntry>, schema: Schema): number {
  const references = new Set(referencesOf(copy, schema));
  for (const entry of entries) {
    if (entry.seq > copy.seq && !taken.some(({ seq }) => seq === entry.seq) && createdBy(entry).some((key) => references.has(key))) return taken.at(-1)!.seq;
  }
  return copy.seq;
}

function namesOf(entries: readonly QueueEntry[]): RecordRef[] {
  const names = new Map(entries.flatMap(({ members }) => members.map(({ object, id }) => [keyOf(object, id), { object, id }])));
  return [...names.values()];
}

/** The plan for a group, with what is here now; `null` when there is nothing to copy. */
export async function prepareDuplicate(context: EngineContext, header: Key, taken: readonly QueueEntry[]): Promise<DuplicatePlan | null> {
  const { schema, store, clock, random } = context;
  const group = await readGroup(context, header);
  return group && planDuplicate({ schema, layoutOf: (object) => store.layout(object), group, taken, entries: store.entries, createId: () => createId(clock, random) });
}
