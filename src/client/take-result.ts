import type { EntryResult, Overwritten, UploadAnswer } from '../protocol/messages.ts';
import { decodeValue, readField } from '../protocol/row.ts';
import { createId } from '../shared/ids.ts';
import { checkResult } from './check-result.ts';
import type { EngineContext } from './engine-context.ts';
import type { SyncEvent } from './engine.ts';
import { putJournal } from './journal.ts';
import { raiseNotice, type NoticeSubject, type OverwrittenField } from './notices.ts';
import { putOutcome, type RecordRef } from './outcomes.ts';
import type { DuplicatePlan, prepareDuplicate } from './plan-duplicate.ts';
import { keysOf, laneKeysOf, ownRefusal, type QueueEntry, type StoredRefusal } from './queue-entry.ts';
import { keyOf, type Key } from './record-key.ts';
import { valueIn, type HeldImage, type Member } from './rows.ts';
import { badAnswer, type AnswerImages } from './server-link.ts';
import { Settlement } from './settle.ts';

type ResultOf<Outcome extends EntryResult['outcome']> = Extract<EntryResult, { readonly outcome: Outcome }>;
type SetAside = ResultOf<'discarded' | 'needsDuplicate'>;

/** What becomes of results that only an upload can have, or that mean something else there. */
export interface ResultActions {
  /** The server could not decide (rule A17): the entry as it waits on, or a refusal of our own. */
  readonly onTryLater: (settlement: Settlement, entry: QueueEntry, result: ResultOf<'tryLater'>) => void;
  /** The entry's number is given up for good. */
  readonly onVoided: (settlement: Settlement, entry: QueueEntry) => void;
}

/**
 * Takes the results of entries in, in one commit, and tells of it. Each ends the way the server decided (rules C3, C11); an answer of
 * which one part cannot be right changes nothing.
 *
 * @param entries - what was asked about, in the order of the results
 * @throws {@link SyncFault} `TRANSPORT_BAD_ANSWER`
 */
export async function takeResults(context: EngineContext, entries: readonly QueueEntry[], answer: UploadAnswer, actions: ResultActions): Promise<void> {
  const { store, rules, link, parts, steps } = context;
  if (!rules.areResultsOf(answer.results, entries)) throw badAnswer('its results are not those of the entries sent');
  const images = link.images(answer);
  answer.results.forEach((result, index) => checkResult(result, entries[index]!, images));
  const results = answer.results.map(rules.readResult);
  const duplicates = results.some(({ outcome }) => outcome === 'needsDuplicate') ? await parts.planDuplicate() : null;
  await steps.run(async () => {
    const taking = new Taking(context, images, actions, duplicates?.prepareDuplicate ?? null);
    // An entry that has gone on meanwhile is another story than the one that this answer ends.
    const sent = results.flatMap((result, index) => {
      const now = store.entry(entries[index]!.seq);
      return now === undefined || now.number !== entries[index]!.number ? [] : [{ entry: now, result }];
    });
    await taking.read(sent);
    for (const { entry, result } of sent) taking.take(entry, result);
    if (results.some(({ outcome }) => outcome === 'copied')) taking.becomeAnotherStore();
    await store.commit(taking.settlement.step, 'strict');
    taking.tell();
  });
}

interface Sent {
  readonly entry: QueueEntry;
  readonly result: EntryResult;
}

class Taking {
  /** Set once all that it may touch is read. */
  settlement!: Settlement;
  readonly #context: EngineContext;
  readonly #images: AnswerImages;
  readonly #actions: ResultActions;
  readonly #prepareDuplicate: typeof prepareDuplicate | null;
  readonly #events: SyncEvent[] = [];
  readonly #plans = new Map<QueueEntry, DuplicatePlan | null>();
  #rowsBefore: ReadonlyMap<Key, { readonly row: Uint8Array | null }> = new Map();

  constructor(context: EngineContext, images: AnswerImages, actions: ResultActions, prepare: typeof prepareDuplicate | null) {
    this.#context = context;
    this.#images = images;
    this.#actions = actions;
    this.#prepareDuplicate = prepare;
  }

  async read(sent: readonly Sent[]): Promise<void> {
    const { store, rules, records } = this.#context;
    const touched = new Set(sent.flatMap(({ entry }) => keysOf(entry)));
    this.#rowsBefore = await records.readAll([...touched]);
    for (const { entry, result } of sent) {
      if (result.outcome !== 'discarded' && result.outcome !== 'needsDuplicate') continue;
      const header = headerOf(entry, result);
      for (const other of store.entries) if (laneKeysOf(other).includes(header)) for (const key of keysOf(other)) touched.add(key);
    }
    this.settlement = new Settlement(store, rules, await store.readBases([...touched, ...this.#images.keys]));
    for (const { entry, result } of sent) {
      if (result.outcome !== 'needsDuplicate' || this.#prepareDuplicate === null) continue;
      const header = headerOf(entry, result);
      this.#plans.set(entry, await this.#prepareDuplicate(this.#context, header, this.settlement.groupFrom(entry, header, rules.absorbsFollower)));
    }
  }

  take(entry: QueueEntry, result: EntryResult): void {
    const current = 'current' in result ? this.#images.byKey(result.current) : new Map<Key, HeldImage>();
    switch (result.outcome) {
      case 'saved': {
        const committed = this.#images.byKey(result.committed);
        this.settlement.accept(entry, committed, current);
        this.#noteSaved(entry, committed, current);
        this.#noteOverwritten(entry, result.overwritten);
        if (entry.duplicateOf !== null) this.#noteDuplicated(entry, entry.duplicateOf);
        return;
      }
      case 'partlySaved': {
        const committed = this.#images.byKey(result.committed);
        this.settlement.acceptPartly(entry, this.#refusal(result.refusal), committed, current);
        this.#noteSaved(entry, committed, current);
        return this.#noteRefused(entry);
      }
      case 'refused':
        this.settlement.refuse(entry, this.#refusal(result.refusal), current);
        return this.#noteRefused(entry);
      case 'discarded':
        return this.#discard(entry, result, current);
      case 'needsDuplicate':
        return this.#duplicate(entry, result, current);
      case 'voided':
        return this.#actions.onVoided(this.settlement, entry);
      case 'tryLater':
        this.#actions.onTryLater(this.settlement, entry, result);
        this.#events.push({ type: 'upload:deferred', entry: entry.seq, retryAfterMs: result.retryAfterMs, reason: result.message });
        this.#noteRefused(entry);
    }
  }

  /** Rule C2: our numbers belong to another copy of this store. What was sent has an unknown fate; the rest starts a new life. */
  becomeAnotherStore(): void {
    const { clock, random, store } = this.#context;
    const { step } = this.settlement;
    step.meta = { ...step.meta, store: createId(clock, random) };
    for (const before of store.entries) {
      const entry = step.entries.get(before.seq) === undefined ? before : step.entries.get(before.seq)!;
      // One that this device gave up on has a number of the old store too.
      if (entry === null || entry.number === null || (entry.state === 'failed' && entry.refusal?.isOwn !== true)) continue;
      this.settlement.refuse(entry, ownRefusal('fate-unknown', 'This store was copied: whether this change was saved, nobody can tell.', clock.now()));
      this.#noteRefused(entry);
    }
  }

  /** Tells of what is durable now. */
  tell(): void {
    const { emit } = this.#context;
    for (const event of this.#events) emit(event);
    for (const notice of this.settlement.step.notices.values()) {
      if (notice !== null) emit({ type: 'notice:raised', notice: notice.id, kind: notice.kind, object: notice.object, id: notice.recordId });
    }
  }

  /** Rule A24: the whole group's work goes to the journal, the group becomes what was submitted, and the user is told. */
  #discard(entry: QueueEntry, result: SetAside, current: ReadonlyMap<Key, HeldImage>): void {
    const { store, rules, clock } = this.#context;
    const { step } = this.settlement;
    const dropped = this.settlement.groupFrom(entry, headerOf(entry, result), rules.discardsFollower);
    this.settlement.drop(dropped, current);
    const notice = this.#raise(entry.headers[result.header]!, dropped.map(({ seq }) => seq), { kind: 'discarded' });
    for (const one of dropped) {
      putJournal(step, store, one, 'discarded', clock.now());
      putOutcome(step, one.seq, { kind: 'discarded', notice }, clock.now());
    }
  }

  /** Rule A23: the group becomes what was submitted, and what the user has of it goes up as a copy. */
  #duplicate(entry: QueueEntry, result: SetAside, current: ReadonlyMap<Key, HeldImage>): void {
    const { store, clock } = this.#context;
    const { step } = this.settlement;
    const plan = this.#plans.get(entry) ?? null;
    // The user had deleted it: there is nothing to copy.
    if (plan === null) return this.#discard(entry, result, current);
    const taken = plan.copy.copied!.entries;
    this.settlement.drop(taken.map((seq) => step.entries.get(seq) ?? store.entry(seq)!), current);
    for (const left of plan.notCopied) putJournal(step, store, left, 'not-copied', clock.now());
    for (const seq of taken) if (seq !== plan.copy.seq) putOutcome(step, seq, plan.copy.seq, clock.now());
    step.putEntry(plan.copy);
  }

  #noteDuplicated(entry: QueueEntry, original: RecordRef): void {
    const { object, id } = entry.headers[0]!;
    const { entries = [entry.seq], left = [] } = entry.copied ?? {};
    const duplicate = { object, id };
    this.#raise(original, entries, { kind: 'duplicated', duplicate, notCopied: left });
    putOutcome(this.settlement.step, entry.seq, { kind: 'duplicated', original, duplicate }, this.#context.clock.now());
  }

  /** Rule A27: one event per record; one that the server took away with the save is gone here too, and the user is told. */
  #noteSaved(entry: QueueEntry, committed: ReadonlyMap<Key, HeldImage>, current: ReadonlyMap<Key, HeldImage>): void {
    const { store, records } = this.#context;
    for (const { object, id, op } of entry.members) {
      const key = keyOf(object, id);
      const then = committed.get(key);
      if (op !== 'remove' && then !== undefined && then.state !== 'live') this.#raise({ object, id }, [entry.seq], { kind: 'removed', state: then.state });
      const after = store.rowOf(current.get(key) ?? null, object);
      const changedByServer = records.changedFields(object, this.#rowsBefore.get(key)?.row ?? null, after);
      this.#events.push({ type: 'upload:accepted', entry: entry.seq, object, id, changedByServer });
    }
  }

  /** Rule A22: a quiet notice of what was online and is no more. */
  #noteOverwritten(entry: QueueEntry, overwritten: readonly Overwritten[]): void {
    const fields = overwritten.flatMap(({ member, fields: names, was }) => names.map((name) => describeOverwritten(entry.members[member]!, name, this.#images.image(was))));
    if (fields.length > 0) this.#raise(entry.members[0]!, [entry.seq], { kind: 'overwritten', fields });
  }

  #noteRefused({ seq }: QueueEntry): void {
    const entry = this.settlement.step.entries.get(seq);
    if (!entry?.refusal) return;
    const { class: reason, fields } = entry.refusal;
    const { object, id } = entry.members[0]!;
    this.#events.push({ type: 'upload:refused', entry: seq, object, id, reason, fields }, { type: 'sync-error:raised', syncError: seq, object, id, reason });
  }

  #raise({ object, id }: RecordRef, entries: readonly number[], subject: NoticeSubject): number {
    const { store, rules, clock } = this.#context;
    return raiseNotice(this.settlement.step, store, rules, { object, id, entries, raisedAt: clock.now() }, subject);
  }

  #refusal({ online, ...stated }: ResultOf<'refused'>['refusal']): StoredRefusal {
    return { ...stated, online: online === null ? null : this.#images.image(online), refusedAt: this.#context.clock.now() };
  }
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
