import type { Coalesced } from './coalesce.ts';
import type { EngineContext } from '../engine-context.ts';
import { isGrouped } from './groups.ts';
import { putJournal } from './journal.ts';
import { putOutcome, type EntryOutcome } from './outcomes.ts';
import { createdBy, referencesOf, type QueueEntry } from './queue-entry.ts';
import { keyOf, type Key } from '../store/record-key.ts';
import type { Member } from '../store/rows.ts';
import { changedFields } from './save.ts';
import type { Settlement } from '../answers/settle.ts';
import type { SyncEvent } from '../sync-event.ts';

/** What an entry holds before it has a place in the queue. */
export type EntryContent = Pick<QueueEntry, 'members' | 'headers'>;

/** How far a search for what refers to a record goes: what a save costs must not depend on how much waits. */
const ENTRIES_SEARCHED = 1_000;

/**
 * Rule A11: the changes, their queue entries and whatever else the step holds are one durable commit. Answers the numbers of the entries.
 *
 * @param released - records that the same commit puts out of use: what was kept aside for them is merged, unless they now wait.
 */
export async function queueEntries(context: EngineContext, contents: readonly EntryContent[], settlement: Settlement, released: readonly Key[] = []): Promise<number[]> {
  const { store, clock, emit } = context;
  const { step } = settlement;
  let created: ReadonlySet<Key> | null = null;
  const isTogether = (key: Key): boolean => (created ??= new Set(contents.flatMap(createdBy))).has(key);
  let { nextSeq } = store.meta;
  const seqs = contents.map(({ members, headers }) => {
    const tail = members.length === 1 ? store.entriesOf(keyOf(members[0]!.object, members[0]!.id)).at(-1) : undefined;
    const joined = tail === undefined ? null : joinTail(context, settlement, tail, members[0]!, isTogether);
    if (joined === null) {
      step.putEntry(newEntry(nextSeq, clock.now(), { members, headers }));
      return nextSeq++;
    }
    if (joined === 'withdrawn') withdrawEntry(context, settlement, tail!, { kind: 'withdrawn' });
    else step.putEntry(joined);
    return tail!.seq;
  });
  step.meta = { ...step.meta, nextSeq };
  for (const key of released) settlement.freed.add(key);
  const events = settlement.freed.size === 0 ? [] : await releaseWith(context, settlement, new Set(released));
  await store.commit(step, 'strict');
  seqs.forEach((entry, index) => {
    for (const member of contents[index]!.members) {
      const { object, id, op } = member;
      emit({ type: 'change:queued', entry, object, id, op, fields: changedFields(member) });
    }
    if (store.entry(entry) === undefined) emit({ type: 'change:withdrawn', entry });
  });
  events.forEach(emit);
  return seqs;
}

/**
 * What was kept aside for records that a step frees is merged with it (rules A38, C7); answers what is to be told then. Few steps of a
 * person free anything: where the file for it cannot be loaded, it waits for the next opening.
 *
 * @param outOfUse - records that the step itself puts out of use
 */
export async function releaseWith(context: EngineContext, settlement: Settlement, outOfUse?: ReadonlySet<Key>): Promise<readonly SyncEvent[]> {
  if (![...settlement.freed].some((key) => context.store.parkedOf(key).length > 0)) return [];
  const part = await context.parts.conversation().catch(() => null);
  return (await part?.mergeFreed(context, settlement, { ...(outOfUse && { outOfUse }) })) ?? [];
}

/** An entry as it is before anything of it was sent. */
export function newEntry(seq: number, savedAt: number, content: EntryContent): QueueEntry {
  return { seq, state: 'queued', number: null, savedAt, ...content, duplicateOf: null, deferrals: 0, deferredSince: null, refusal: null };
}

/** @param isTogether - says whether the same commit creates a record, in an entry of its own. */
function joinTail({ schema, store, places, rules }: EngineContext, settlement: Settlement, tail: QueueEntry, member: Member, isTogether: (key: Key) => boolean): Coalesced {
  const isCreatedLater = (key: Key): boolean => isTogether(key) || store.entriesOf(key).some((entry) => entry.seq > tail.seq && createdBy(entry).includes(key));
  const own = keyOf(member.object, member.id);
  return rules.coalesce({
    tail,
    member,
    base: () => store.rowOf(settlement.base(own), member.object),
    below: store.entriesOf(own).flatMap(({ seq, members }) => (seq < tail.seq ? members.filter(({ object, id }) => keyOf(object, id) === own) : [])),
    definition: schema.objects[member.object]!,
    isGrouped: isGrouped(places.get(member.object)!),
    refersToLater: () => referencesOf({ members: [member] }, schema).some(isCreatedLater),
    isReferredToLater: () => {
      const end = store.meta.nextSeq;
      if (end - tail.seq > ENTRIES_SEARCHED) return true;
      for (let seq = tail.seq + 1; seq < end; seq++) {
        const later = store.entry(seq);
        if (later !== undefined && referencesOf(later, schema).includes(own)) return true;
      }
      return false;
    },
  });
}

/** Takes an entry that was never sent out of the queue; its content goes to the journal (rule C11). */
export function withdrawEntry({ store, clock }: EngineContext, settlement: Settlement, entry: QueueEntry, outcome: EntryOutcome): void {
  settlement.undo(entry, []);
  putJournal(settlement.step, store, entry, 'undone', clock.now());
  putOutcome(settlement.step, entry.seq, outcome, clock.now());
}
