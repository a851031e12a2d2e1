import type { EntryResult, Overwritten } from '../../protocol/messages.ts';
import { decodeValue, readField } from '../../protocol/row.ts';
import { createId } from '../../shared/ids.ts';
import { putJournal } from '../queue/journal.ts';
import type { OverwrittenField } from './notices.ts';
import { putOutcome, type RecordRef } from '../queue/outcomes.ts';
import { prepareDuplicate, type DuplicatePlan } from './plan-duplicate.ts';
import { keysOf, laneKeysOf, ownRefusal, type QueueEntry } from '../queue/queue-entry.ts';
import { keyOf, type Key } from '../store/record-key.ts';
import { valueIn, type HeldImage, type Member } from '../store/rows.ts';
import type { Sent, Taking } from './take-result.ts';

type SetAside = Extract<EntryResult, { readonly outcome: 'discarded' | 'needsDuplicate' }>;

/** What few devices ever hear of a save: that its record was submitted elsewhere, what it replaced, that the store is a copy. */
export class RareResults {
  readonly #taking: Taking;
  readonly #plans = new Map<QueueEntry, DuplicatePlan | null>();

  constructor(taking: Taking) {
    this.#taking = taking;
  }

  /** The records of all that waits in groups that were submitted elsewhere. */
  keysToRead(sent: readonly Sent[]): Key[] {
    const headers = new Set(sent.flatMap(({ entry, result }) => (isSetAside(result) ? [headerOf(entry, result)] : [])));
    return [...this.#taking.context.store.entries].flatMap((entry) => (laneKeysOf(entry).some((key) => headers.has(key)) ? keysOf(entry) : []));
  }

  /** Plans the copies, with what is here before anything is settled. */
  async prepare(sent: readonly Sent[]): Promise<void> {
    const { context, settlement } = this.#taking;
    for (const { entry, result } of sent) {
      if (result.outcome !== 'needsDuplicate') continue;
      const header = headerOf(entry, result);
      this.#plans.set(entry, await prepareDuplicate(context, header, settlement.groupFrom(entry, header, context.rules.absorbsFollower)));
    }
  }

  /** The group becomes what was submitted. Rule A23: what the user has of it goes up as a copy; rule A24: it goes to the journal. */
  setAside(entry: QueueEntry, result: SetAside, current: ReadonlyMap<Key, HeldImage>): void {
    const plan = this.#plans.get(entry) ?? null;
    // Where the user had deleted the group, there is nothing to copy.
    if (plan === null) this.#discard(entry, result, current);
    else this.#duplicate(plan, current);
  }

  #discard(entry: QueueEntry, result: SetAside, current: ReadonlyMap<Key, HeldImage>): void {
    const { context, settlement, raise } = this.#taking;
    const { store, rules, clock } = context;
    const dropped = settlement.groupFrom(entry, headerOf(entry, result), rules.discardsFollower);
    settlement.drop(dropped, current);
    const notice = raise(entry.headers[result.header]!, dropped.map(({ seq }) => seq), { kind: 'discarded' });
    for (const one of dropped) {
      putJournal(settlement.step, store, one, 'discarded', clock.now());
      putOutcome(settlement.step, one.seq, { kind: 'discarded', notice }, clock.now());
    }
  }

  #duplicate({ copy, taken, notCopied }: DuplicatePlan, current: ReadonlyMap<Key, HeldImage>): void {
    const { context, settlement } = this.#taking;
    const { store, clock } = context;
    const { step } = settlement;
    settlement.drop(taken, current);
    for (const left of notCopied) putJournal(step, store, left, 'not-copied', clock.now());
    for (const { seq } of taken) if (seq !== copy.seq) putOutcome(step, seq, copy.seq, clock.now());
    step.putEntry(copy);
  }

  /** A copy was saved: the user hears of both. */
  noteDuplicated(entry: QueueEntry, original: RecordRef): void {
    const { context, settlement, raise } = this.#taking;
    const { object, id } = entry.headers[0]!;
    const { entries = [entry.seq], left = [] } = entry.copied ?? {};
    const duplicate = { object, id };
    raise(original, entries, { kind: 'duplicated', duplicate, notCopied: left });
    putOutcome(settlement.step, entry.seq, { kind: 'duplicated', original, duplicate }, context.clock.now());
  }

  /** Rule A22: a quiet notice of what was online and is no more. */
  noteOverwritten(entry: QueueEntry, overwritten: readonly Overwritten[]): void {
    const { images, raise } = this.#taking;
    const fields = overwritten.flatMap(({ member, fields: names, was }) => names.map((name) => describeOverwritten(entry.members[member]!, name, images.image(was))));
    if (fields.length > 0) raise(entry.members[0]!, [entry.seq], { kind: 'overwritten', fields });
  }

  /** Rule C2: our numbers belong to another copy of this store. What was sent has an unknown fate; the rest starts a new life. */
  becomeAnotherStore(): void {
    const { context, settlement, noteRefused } = this.#taking;
    const { clock, random, store } = context;
    const { step } = settlement;
    step.meta = { ...step.meta, store: createId(clock, random) };
    for (const before of store.entries) {
      const entry = step.entries.get(before.seq) === undefined ? before : step.entries.get(before.seq)!;
      // One that this device gave up on has a number of the old store too.
      if (entry === null || entry.number === null || (entry.state === 'failed' && entry.refusal?.isOwn !== true)) continue;
      settlement.refuse(entry, ownRefusal('fate-unknown', 'This store was copied: whether this change was saved, nobody can tell.', clock.now()));
      noteRefused(entry);
    }
  }
}

function isSetAside(result: EntryResult): result is SetAside {
  return result.outcome === 'discarded' || result.outcome === 'needsDuplicate';
}

function headerOf(entry: QueueEntry, { header }: SetAside): Key {
  const { object, id } = entry.headers[header]!;
  return keyOf(object, id);
}

function describeOverwritten(member: Member, field: string, was: HeldImage): OverwrittenField {
  const { object, id, layout } = member;
  const position = layout.positions.get(field)!;
  const mine = valueIn(member, 'next', position);
  return { object, id, field, online: readField(was.layout, was.row, field), mine: mine === undefined ? null : decodeValue(layout.fields[position]!.type, mine) };
}
