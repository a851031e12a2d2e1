import type { ProtocolLimits } from '../../protocol/limits.ts';
import { decodeRow, readField } from '../../protocol/row.ts';
import { NO_VERSION } from '../../protocol/version.ts';
import { SyncFault } from '../../shared/fault.ts';
import { createId } from '../../shared/ids.ts';
import { withBirthIds } from '../read/birth-ids.ts';
import type { DraftAnswer, DraftAnswers, DraftChange, DraftInfo, DraftRecord, DraftReceipt, DraftRequest } from './draft.ts';
import { draftRowKey } from './draft-keys.ts';
import { opOf, putDraftRow, readDrafts, type HeldRecord } from './draft-rows.ts';
import type { EngineContext } from '../engine-context.ts';
import { GroupFinder } from '../queue/groups.ts';
import { guardEdits } from '../queue/guard.ts';
import { putJournal } from '../queue/journal.ts';
import { putOutcome } from '../queue/outcomes.ts';
import { newEntry, queueEntries } from '../queue/queue-entries.ts';
import { createdBy, referencesOf } from '../queue/queue-entry.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import { versionOf } from '../store/rows.ts';
import { assertFinished } from '../queue/assert-finished.ts';
import { checkId, editRow, memberBetween } from '../queue/save.ts';
import { assertUnlocked, planEntries, removedWith, saveFault } from '../queue/save-changes.ts';
import { mergeFreed } from '../answers/release.ts';
import { Settlement } from '../answers/settle.ts';
import { Step } from '../store/step.ts';
import type { Edit } from '../queue/transaction.ts';
import { orderEntries } from './order-entries.ts';

export { rebaseDrafts } from './draft-rows.ts';

/** A draft and the records in it. */
interface Draft {
  readonly id: string;
  readonly records: ReadonlyMap<Key, HeldRecord>;
}

/**
 * Answers what hosts ask of drafts (rule A12): a worker part of its own. Every change of a draft is one durable commit, so a crash leaves
 * it as it was; nothing of it is in the queue before it is saved, and images of the feed for its records are kept aside until then.
 *
 * @throws {@link SyncFault} `DRAFT_UNKNOWN`, and what saves throw
 */
export async function answerDraft(context: EngineContext, limits: ProtocolLimits, request: DraftRequest): Promise<DraftAnswer> {
  const { store } = context;
  switch (request.kind) {
    case 'list': return [...(await readDrafts(store))].map(([id, records]) => describeDraft({ id, records }));
    case 'open': return openDraft(context, request.object, request.id);
  }
  const { draft: id } = request;
  const records = (await readDrafts(store, id)).get(id);
  if (records === undefined) throw new SyncFault('DRAFT_UNKNOWN', `there is no draft ${id}`, { details: { draft: id } });
  const draft: Draft = { id, records };
  switch (request.kind) {
    case 'change': return changeDraft(context, draft, request);
    case 'read': return shownFirst(draft).map(describeRecord);
    case 'save': return saveDraft(context, limits, draft);
    case 'discard': return discardDraft(context, draft);
  }
}

async function openDraft(context: EngineContext, object: string, id: string | null): Promise<DraftInfo> {
  const { store, schema, records, clock, random, emit } = context;
  const layout = store.layout(object);
  const finder = new GroupFinder(context);
  const openedAt = clock.now();
  if (id === null) {
    const created: HeldRecord = { key: keyOf(object, createId(clock, random)), layout, openedAt, place: 1, base: NO_VERSION, seen: null, row: editRow(schema, layout, null, {}, true) };
    return keepDraft(context, createId(clock, random), [created]);
  }
  const key = await records.resolve(object, id, finder.record);
  const top = (await finder.above(key)).at(-1) ?? key;
  await assertUnlocked(context, finder, key, top);
  const group = [...new Set([top, key, ...(await finder.below([top]))])];
  const joined = group.map((member) => store.drafts.byRecord.get(member)).find((draft) => draft !== undefined);
  const seen = (await Promise.all(group.map((member) => seenNow(context, finder, member)))).filter((record) => record !== null);
  const own = seen.find((record) => record.key === key);
  if (own === undefined) throw saveFault('RECORD_MISSING', key, 'is not on this device');
  if (joined === undefined) return keepDraft(context, createId(clock, random), seen.map((record) => (record === own ? { ...own, openedAt } : record)));
  // A second draft of a group is the first one: two would overwrite each other.
  if (!store.drafts.byRecord.has(key)) await keepDraft(context, joined, [own]);
  emit({ type: 'draft:changed', draft: joined, change: 'opened' });
  return describeDraft({ id: joined, records: (await readDrafts(store, joined)).get(joined)! });
}

async function keepDraft({ store, emit }: EngineContext, id: string, records: readonly HeldRecord[]): Promise<DraftInfo> {
  const step = new Step();
  for (const record of records) putDraftRow(step, id, record);
  await store.commit(step, 'strict');
  emit({ type: 'draft:changed', draft: id, change: 'opened' });
  return describeDraft({ id, records: new Map(records.map((record) => [record.key, record])) });
}

async function changeDraft(context: EngineContext, draft: Draft, change: DraftChange): Promise<DraftAnswers['change']> {
  const { store, schema, records, clock, random, emit } = context;
  const finder = new GroupFinder(context);
  const step = new Step();
  const place = Math.max(...[...draft.records.values()].map((record) => record.place)) + 1;
  const { op, object } = change;
  const layout = store.layout(object);
  const values = await withBirthIds({ schema, records, read: finder.record }, object, change.values ?? {}, draft.records);
  const put = (record: HeldRecord, row: Uint8Array | null): void => {
    const kept = { ...record, row, place: record.place || place };
    if (row === null && record.seen === null && record.openedAt === null) step.removeState.push(draftRowKey(draft.id, record.key));
    else putDraftRow(step, draft.id, kept);
  };
  let key: Key;
  if (op === 'create') {
    const id = change.id ?? createId(clock, random);
    checkId(object, id);
    key = keyOf(object, id);
    if (draft.records.has(key) || (await finder.record(key)).row !== null) throw saveFault('RECORD_EXISTS', key, 'exists already');
    assertFree(context, draft, key);
    put({ key, layout, openedAt: null, place, base: NO_VERSION, seen: null, row: null }, editRow(schema, layout, null, values, true));
  } else {
    const record = await findRecord(context, finder, draft, change);
    ({ key } = record);
    if (op === 'update') put(record, editRow(schema, layout, record.row, values, true));
    else for (const gone of [record, ...hangingOn(context, draft, key)]) put(gone, null);
  }
  await store.commit(step, 'strict');
  emit({ type: 'draft:changed', draft: draft.id, change: 'edited' });
  return splitKey(key);
}

async function findRecord(context: EngineContext, finder: GroupFinder, draft: Draft, { object, id }: DraftChange): Promise<HeldRecord> {
  const main = shownFirst(draft)[0]!;
  const named = id === undefined ? main.key : keyOf(object, id);
  const key = draft.records.has(named) ? named : await context.records.resolve(object, splitKey(named).id, finder.record);
  const record = draft.records.get(key) ?? (await seenNow(context, finder, key));
  if (record === null || record.row === null) throw saveFault('RECORD_MISSING', key, 'is not in the draft, nor on this device');
  assertFree(context, draft, key);
  return record;
}

/** Saves what the draft holds: the queue entries and the end of the draft are one commit. When it cannot be saved, it stays. */
async function saveDraft(context: EngineContext, limits: ProtocolLimits, draft: Draft): Promise<DraftReceipt> {
  const { store, schema, rules, emit } = context;
  const finder = new GroupFinder(context);
  await finder.load([...draft.records.keys()]);
  const edits = editsOf(draft);
  for (const { layout, before, after } of edits) if (after !== null) assertFinished(schema, layout, after, before);
  await guardEdits(context, finder, edits);
  const versions = new Map([...draft.records].map(([key, { base }]) => [key, base]));
  const contents = await planEntries(context, finder, limits, [...edits, ...(await removedWith(context, finder, edits))], versions);
  const ordered = orderEntries(contents, createdBy, (content) => referencesOf(content, schema));
  const settlement = new Settlement(store, rules, finder.bases);
  const keys = endDraft(settlement.step, draft);
  const entries = await queueEntries(context, ordered, settlement, keys);
  emit({ type: 'draft:changed', draft: draft.id, change: 'saved' });
  return { entries };
}

/** Ends a draft unsaved; its content goes to the journal, under the number of an entry that never was in the queue (rule C11). */
async function discardDraft(context: EngineContext, draft: Draft): Promise<DraftReceipt> {
  const { store, schema, rules, clock, emit } = context;
  const members = editsOf(draft).flatMap(({ key, layout, before, after, base }) => memberBetween(schema, layout, splitKey(key).id, before, after, base) ?? []);
  const settlement = new Settlement(store, rules, await store.readBases(draft.records.keys()));
  const { step } = settlement;
  const outOfUse = new Set(endDraft(step, draft));
  for (const key of outOfUse) settlement.freed.add(key);
  const { nextSeq } = store.meta;
  if (members.length > 0) {
    for (const { layout } of members) step.layouts.set(layout.hash, layout);
    step.meta = { nextSeq: nextSeq + 1 };
    putJournal(step, store, newEntry(nextSeq, clock.now(), { members, headers: [] }), 'undone', clock.now());
    putOutcome(step, nextSeq, { kind: 'undone' }, clock.now());
  }
  const events = await mergeFreed(context, settlement, { outOfUse });
  await store.commit(step, 'strict');
  emit({ type: 'draft:changed', draft: draft.id, change: 'discarded' });
  events.forEach(emit);
  return { entries: members.length > 0 ? [nextSeq] : [] };
}

/** Takes a draft's rows away; answers which records it held. */
function endDraft(step: Step, { id, records }: Draft): Key[] {
  for (const key of records.keys()) step.removeState.push(draftRowKey(id, key));
  return [...records.keys()];
}

function editsOf({ records }: Draft): Edit[] {
  const changed = [...records.values()].filter((record) => opOf(record) !== null).sort((left, right) => left.place - right.place);
  return changed.map(({ key, layout, base, seen, row }, change) => ({ key, layout, before: seen, after: row, base, change }));
}

/** A record as the user sees it now, not changed yet. */
async function seenNow({ store }: EngineContext, finder: GroupFinder, key: Key): Promise<HeldRecord | null> {
  const { row, base } = await finder.record(key);
  return row && { key, layout: store.layout(splitKey(key).object), openedAt: null, place: 0, base: versionOf(base), seen: row, row };
}

/** What hangs on a record in the draft's own rows, at all levels. */
function hangingOn({ places }: EngineContext, { records }: Draft, top: Key): HeldRecord[] {
  const found = new Set([top]);
  const hanging: HeldRecord[] = [];
  for (const above of found) {
    for (const record of records.values()) {
      const { parent } = places.get(splitKey(record.key).object)!;
      const id = parent && readField(record.layout, record.row, parent.field);
      if (parent === null || typeof id !== 'string' || keyOf(parent.target, id) !== above || found.has(record.key)) continue;
      found.add(record.key);
      hanging.push(record);
    }
  }
  return hanging;
}

function assertFree({ store }: EngineContext, draft: Draft, key: Key): void {
  const other = store.drafts.byRecord.get(key);
  if (other !== undefined && other !== draft.id) throw saveFault('OPTION_INVALID', key, 'is in another draft', { draft: other });
}

/** The record that the draft was opened on comes first, then those that it changes, in the order of the changes. */
function shownFirst({ records }: Draft): HeldRecord[] {
  const rank = ({ openedAt, place }: HeldRecord): number => (openedAt === null ? place || Infinity : 0);
  return [...records.values()].sort((left, right) => (rank(left) === rank(right) ? 0 : rank(left) - rank(right)));
}

function describeDraft(draft: Draft): DraftInfo {
  const main = shownFirst(draft)[0]!;
  const { object, id } = splitKey(main.key);
  return { id: draft.id, object, recordId: id, openedAt: main.openedAt ?? 0, changes: editsOf(draft).length };
}

function describeRecord(record: HeldRecord): DraftRecord {
  return { ...splitKey(record.key), op: opOf(record), values: record.row && decodeRow(record.layout, record.row) };
}
