import { groupObjectsOf, groupParentOf } from '../../protocol/groups.ts';
import { decodeValue, encodeCanonical, joinRow, NO_VALUE, splitRow } from '../../protocol/row.ts';
import type { Schema } from '../../protocol/schema.ts';
import { NO_VERSION } from '../../protocol/version.ts';
import { SyncFault } from '../../shared/fault.ts';
import { createId } from '../../shared/ids.ts';
import type { EngineContext } from '../engine-context.ts';
import { putJournal } from '../queue/journal.ts';
import { putOutcome } from '../queue/outcomes.ts';
import { isUndecided, keysOf, type QueueEntry } from '../queue/queue-entry.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import { touchedPositions, type Member } from '../store/rows.ts';
import { memberBetween } from '../queue/save.ts';
import { Settlement } from '../answers/settle.ts';
import type { ResolutionReceipt } from './sync-error.ts';

/** What recreating leads to: the step, all but for the new entry itself. */
export interface Recreated {
  readonly settlement: Settlement;
  readonly entry: Pick<QueueEntry, 'members' | 'headers'>;
  readonly recreated: ResolutionReceipt['recreated'];
}

/**
 * What the user has of the refused record, and of all that hangs on it in its group, becomes new records with new ids. Later edits of
 * them are in it; other saves that wait and refer to them follow. The old records become what they are online (rule B13).
 *
 * @throws {@link SyncFault} `SYNC_ERROR_ACTION_UNAVAILABLE` where a later change deletes the record: there is nothing to save
 */
export async function planRecreate(context: EngineContext, entry: QueueEntry): Promise<Recreated> {
  const { schema, store, records, rules, clock, random } = context;
  const { object, id } = entry.members[entry.refusal!.member] ?? entry.members[0]!;
  const rows = new Map<Key, Uint8Array>();
  for (const key of await below(context, keyOf(object, id))) {
    const { row } = await records.read(key);
    if (row !== null) rows.set(key, row);
  }
  if (!rows.has(keyOf(object, id))) {
    const details = { syncError: entry.seq, class: entry.refusal!.class, action: 'recreate' };
    throw new SyncFault('SYNC_ERROR_ACTION_UNAVAILABLE', `sync error ${entry.seq} cannot be resolved by recreate: ${object} ${id} is deleted here`, { details });
  }
  const ids: Ids = new Map([...rows.keys()].map((key) => [key, createId(clock, random)]));
  const isOld = (member: Member): boolean => ids.has(keyOf(member.object, member.id));
  const restOf = (one: QueueEntry): Member[] => one.members.filter((member) => !isOld(member)).map((member) => repointed(member, ids, schema));

  // What is on its way, or may be, keeps its bytes.
  const others = [...store.entries].filter((other) => other !== entry && other.state !== 'sending' && !isUndecided(other));
  const touched = [entry, ...others].filter(({ members }) => members.some(isOld));
  const settlement = new Settlement(store, rules, await store.readBases(touched.flatMap(keysOf)));
  const [first, ...rest] = touched.map((one) => ({ ...one, members: one.members.filter(isOld) }));
  settlement.undo(first!, rest);
  for (const other of others) {
    const members = restOf(other);
    if (members.length === 0) putOutcome(settlement.step, other.seq, { kind: 'withdrawn' }, clock.now());
    else if (members.length < other.members.length || members.some((member, index) => member !== other.members[index])) {
      settlement.step.putEntry({ ...other, members, headers: headersOf(other, ids) });
    }
  }
  putJournal(settlement.step, store, entry, 'superseded', clock.now());
  const creates = [...rows].flatMap(([key, row]) => createOf(context, splitKey(key).object, row, ids, key));
  return {
    settlement,
    entry: { members: [...creates, ...restOf(entry)], headers: headersOf(entry, ids) },
    recreated: [...ids].map(([key, to]) => ({ object: splitKey(key).object, from: splitKey(key).id, to })),
  };
}

/** New ids by old records. */
type Ids = ReadonlyMap<Key, string>;

/** A create of what a record's row holds, but for what only the server writes. */
function createOf({ schema, store }: EngineContext, object: string, row: Uint8Array, ids: Ids, key: Key): Member[] {
  const layout = store.layout(object), values = splitRow(row);
  const kept = joinRow(layout.fields.map(({ name }, position) => (schema.objects[object]!.fields[name]!.owner === 'device' ? values[position]! : NO_VALUE)));
  const create = memberBetween(schema, layout, ids.get(key)!, null, kept, NO_VERSION);
  return create === null ? [] : [repointed(create, ids, schema)];
}

/** A record and what hangs on it in its group, as the user sees it, parents first. */
async function below({ schema, records }: EngineContext, top: Key): Promise<Key[]> {
  const found = new Set([top]);
  for (const object of groupObjectsOf(schema, splitKey(top).object)) {
    const parent = groupParentOf(schema, object);
    if (parent === null) continue;
    for await (const views of records.scan(object)) {
      for (const { id, values } of views) if (found.has(keyOf(parent.target, String(values[parent.field])))) found.add(keyOf(object, id));
    }
  }
  return [...found];
}

/** A member whose references follow records to their new ids. */
function repointed(member: Member, ids: Ids, schema: Schema): Member {
  if (member.next === null) return member;
  const values = splitRow(member.next);
  let isChanged = false;
  touchedPositions(member).forEach((position, index) => {
    const { name, type } = member.layout.fields[position]!;
    const target = schema.objects[member.object]?.fields[name]?.target;
    const to = type === 'reference' && target !== undefined ? ids.get(keyOf(target, String(decodeValue(type, values[index]!)))) : undefined;
    if (to === undefined) return;
    values[index] = encodeCanonical(type, to);
    isChanged = true;
  });
  return isChanged ? { ...member, next: joinRow(values) } : member;
}

function headersOf({ headers }: QueueEntry, ids: Ids): QueueEntry['headers'] {
  return headers.map((header) => {
    const to = ids.get(keyOf(header.object, header.id));
    return to === undefined ? header : { object: header.object, id: to, base: NO_VERSION };
  });
}
