import type { ProtocolLimits } from '../../protocol/limits.ts';
import { NO_VERSION, type RecordVersion } from '../../protocol/version.ts';
import { SyncFault, type FaultDetails } from '../../shared/fault.ts';
import { createId } from '../../shared/ids.ts';
import { targetOf, withBirthIds } from '../read/birth-ids.ts';
import type { EngineContext } from '../engine-context.ts';
import type { SaveReceipt, TransactionReceipt } from '../engine.ts';
import { sizeOf } from './entry-size.ts';
import { GroupFinder } from './groups.ts';
import { guardEdits, rowsAfter } from './guard.ts';
import { queueEntries, type EntryContent } from './queue-entries.ts';
import type { EntryHeader } from './queue-entry.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import { versionOf, type HeldImage } from '../store/rows.ts';
import { checkId, editRow, memberBetween, memberOfEdit, rowAsSeen } from './save.ts';
import { Settlement } from '../answers/settle.ts';
import { gatherGroups, inChange, orderMembers, type Change, type Edit, type PlacedEdit } from './transaction.ts';

/**
 * Saves changes of one group, or of one record, as one entry (rules A11, A14, A15). Nothing is queued when any of them is bad; the fault
 * names the change.
 */
export async function saveChanges(context: EngineContext, limits: ProtocolLimits, changes: readonly Change[]): Promise<TransactionReceipt> {
  const finder = new GroupFinder(context);
  const edits = await readChanges(context, finder, changes);
  const overlaps = await guardEdits(context, finder, edits);
  const records = edits.map(({ key }) => ({ ...splitKey(key), ...(overlaps.has(key) && { overlaps: overlaps.get(key)! }) }));
  const [content, other] = await planEntries(context, finder, limits, [...edits, ...(await removedWith(context, finder, edits))]);
  const mixed = other?.members[0] ?? (content !== undefined && content.headers.length > 2 ? content.members[0] : undefined);
  if (mixed !== undefined) {
    const { object, id } = mixed;
    throw new SyncFault('GROUP_MIXED', `${object} ${id} is not of the group that the other changes are of`, { details: { object, id, change: edits.findIndex(({ key }) => key === keyOf(object, id)) } });
  }
  const [entry = null] = content === undefined ? [] : await queueEntries(context, [content], new Settlement(context.store, context.rules, finder.bases));
  return { entry, records };
}

/** Saves one record. */
export function saveChange(context: EngineContext, limits: ProtocolLimits, change: Change): Promise<SaveReceipt> {
  return isPlainEdit(context, change) ? saveEdit(context, limits, change) : saveOne(context, limits, change);
}

async function saveOne(context: EngineContext, limits: ProtocolLimits, change: Change): Promise<SaveReceipt> {
  const { entry, records } = await saveChanges(context, limits, [change]);
  return { ...records[0]!, entry };
}

/** An edit outside groups, of a record that nothing locks, by values that refer to no other, while nothing waits of any record. */
function isPlainEdit({ store, schema, places }: EngineContext, { op, object, values = {}, seen }: Change): boolean {
  return op === 'update' && seen === undefined && store.parked.size === 0 && places.get(object)?.header === null && !Object.keys(values).some((name) => targetOf(schema, object, name));
}

/**
 * Saves a plain edit: what has to be asked is answered by the record's own row, and what changes is cut out of that. Comes to the same as
 * {@link saveChanges}, which is asked where there is no such record by its id at birth.
 *
 * @throws {@link SyncFault} `CHANGE_TOO_LARGE`, and whatever the values are refused for
 */
async function saveEdit(context: EngineContext, limits: ProtocolLimits, change: Change): Promise<SaveReceipt> {
  const { schema, store, rules, records } = context;
  const { object, id, values } = change;
  const key = keyOf(object, id!);
  const { row, base } = await records.read(key);
  if (row === null) return saveOne(context, limits, change);
  const member = memberOfEdit(schema, store.layout(object), id!, row, values ?? {}, versionOf(base));
  if (member === null) return { object, id: id!, entry: null };
  const content: EntryContent = { members: [member], headers: rules.headersOf([]) };
  assertFits(content, limits);
  const [entry = null] = await queueEntries(context, [content], new Settlement(store, rules, base === null ? NO_BASES : new Map([[key, base]])));
  return { object, id: id!, entry };
}

const NO_BASES: ReadonlyMap<Key, HeldImage> = new Map();

async function readChanges(context: EngineContext, finder: GroupFinder, changes: readonly Change[]): Promise<Edit[]> {
  await finder.load(changes.flatMap(({ object, id }) => (id === undefined ? [] : [keyOf(object, id)])));
  const edits = new Map<Key, Edit>();
  for (const [index, change] of changes.entries()) {
    const place = changes.length > 1 ? index : null;
    await inChange(place, async () => {
      const edit = await readChange(context, finder, change, place, edits);
      if (edits.has(edit.key)) throw saveFault('OPTION_INVALID', edit.key, 'is changed twice in one transaction');
      edits.set(edit.key, edit);
    });
  }
  return [...edits.values()];
}

async function readChange(context: EngineContext, finder: GroupFinder, change: Change, place: number | null, others: ReadonlyMap<Key, Edit>): Promise<Edit> {
  const { store, schema, records, clock, random } = context;
  const { op, object, seen } = change;
  const layout = store.layout(object);
  const values = await withBirthIds({ schema, records, read: finder.record }, object, change.values ?? {}, others);
  if (op === 'create') {
    const id = change.id ?? createId(clock, random);
    checkId(object, id);
    return { key: keyOf(object, id), layout, before: null, after: editRow(schema, layout, null, values), base: NO_VERSION, change: place };
  }
  const key = await records.resolve(object, change.id!, finder.record);
  const { row, base } = await finder.record(key);
  if (row === null) throw saveFault('RECORD_MISSING', key, 'is not on this device');
  // A delete says of every field what was seen.
  const before = seen === undefined ? row : rowAsSeen(schema, layout, row, seen, op === 'remove' ? seen : values);
  return { key, layout, before, after: op === 'remove' ? null : editRow(schema, layout, before, values), base: versionOf(base), change: place };
}

/** Deletes of what hangs on deleted records: a group goes as a whole. */
export async function removedWith({ store }: EngineContext, finder: GroupFinder, edits: readonly Edit[]): Promise<Edit[]> {
  const removed = edits.filter(({ after }) => after === null);
  const after = rowsAfter(edits);
  const below = (await finder.below(removed.map(({ key }) => key), after)).filter((key) => !after.has(key));
  await finder.load(below);
  return Promise.all(
    below.map(async (key) => {
      const { row, base } = await finder.record(key);
      return { key, layout: store.layout(splitKey(key).object), before: row, after: null, base: versionOf(base), change: removed[0]!.change };
    }),
  );
}

/**
 * Makes entries of edits: one per group, and one per record outside groups.
 *
 * @param seen - the versions of headers that the user saw earlier than now.
 * @throws {@link SyncFault} `RECORD_EXISTS`, `RECORD_MISSING`, `RECORD_LOCKED`, `CHANGE_TOO_LARGE`, `OPTION_INVALID`
 */
export async function planEntries(context: EngineContext, finder: GroupFinder, limits: ProtocolLimits, edits: readonly Edit[], seen: ReadonlyMap<Key, RecordVersion> = new Map()): Promise<EntryContent[]> {
  const { schema, places, rules } = context;
  const after = rowsAfter(edits);
  const versions = new Map([...seen, ...edits.map(({ key, base }) => [key, base] as const)]);
  const placed: PlacedEdit[] = [];
  for (const edit of edits) {
    await inChange(edit.change, async () => {
      const { row } = await finder.record(edit.key);
      if (edit.before === null && row !== null) throw saveFault('RECORD_EXISTS', edit.key, 'exists already');
      if (edit.before !== null && row === null) throw saveFault('RECORD_MISSING', edit.key, 'is not on this device');
      const member = memberBetween(schema, edit.layout, splitKey(edit.key).id, edit.before, edit.after, edit.base);
      if (member !== null) placed.push({ edit, member, tops: await findTops(context, finder, edit, after) });
    });
  }
  return Promise.all(
    gatherGroups(placed, places).map(async (plan) => {
      const members = orderMembers(plan.placed, places).map(({ member }) => member);
      const headers = await Promise.all(
        [...plan.tops].filter((top) => isHeader(context, top)).sort().map(async (top): Promise<EntryHeader> => ({ ...splitKey(top), base: versions.get(top) ?? versionOf((await finder.record(top)).base) })),
      );
      const content: EntryContent = { members, headers: rules.headersOf(headers) };
      assertFits(content, limits);
      return content;
    }),
  );
}

/** The tops of the groups that an edit touches. @throws {@link SyncFault} `RECORD_LOCKED`, `OPTION_INVALID` */
async function findTops(context: EngineContext, finder: GroupFinder, { key, before, after: row }: Edit, after: ReadonlyMap<Key, Uint8Array | null>): Promise<Set<Key>> {
  const tops = new Set<Key>();
  if (before !== null) tops.add((await finder.above(key)).at(-1) ?? key);
  if (row !== null) {
    const above = await finder.above(key, after);
    if (above.some((other) => after.get(other) === null)) throw saveFault('OPTION_INVALID', key, 'hangs on a record that the same save deletes');
    tops.add(above.at(-1) ?? key);
  }
  for (const top of tops) await assertUnlocked(context, finder, key, top);
  return tops;
}

/** Refuses to change what belongs to a submitted record. @throws {@link SyncFault} `RECORD_LOCKED` */
export async function assertUnlocked(context: EngineContext, finder: GroupFinder, key: Key, top: Key): Promise<void> {
  // As it is before this save: the entry that submits a record may change it.
  assertRowUnlocked(context, key, top, (await finder.record(top)).row);
}

function assertRowUnlocked({ schema, store, rules }: EngineContext, key: Key, top: Key, row: Uint8Array | null): void {
  const { object, id } = splitKey(top);
  if (rules.isLocked(schema.objects[object]!.submitted, store.layout(object), row)) throw saveFault('RECORD_LOCKED', key, 'belongs to a submitted record', { headerObject: object, headerId: id });
}

function isHeader({ places }: EngineContext, key: Key): boolean {
  const { object } = splitKey(key);
  return places.get(object)!.header === object;
}

/** Rule A15: a save that no request could carry is refused at once, never split. */
function assertFits({ members }: EntryContent, limits: ProtocolLimits): void {
  const bytes = sizeOf({ members });
  if (members.length <= limits.members && bytes <= limits.entryBytes) return;
  const { object, id } = members[0]!;
  throw new SyncFault('CHANGE_TOO_LARGE', `${object} ${id}: this save is larger than ${limits.members} records or ${limits.entryBytes} bytes`, { details: { object, id, bytes, members: members.length } });
}

/** A fault of a save that names its record. */
export function saveFault(code: 'RECORD_EXISTS' | 'RECORD_MISSING' | 'RECORD_LOCKED' | 'OPTION_INVALID', key: Key, problem: string, details: FaultDetails = {}): SyncFault {
  const { object, id } = splitKey(key);
  return new SyncFault(code, `${object} ${id} ${problem}`, { details: { object, id, ...details } });
}
