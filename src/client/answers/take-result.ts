import type { EntryResult, UploadAnswer } from '../../protocol/messages.ts';
import { checkResult } from './check-result.ts';
import type { EngineContext, NetworkContext } from '../engine-context.ts';
import type { SyncEvent } from '../sync-event.ts';
import type { NoticeSubject } from './notices.ts';
import { raiseNotice } from './raise-notice.ts';
import { putOutcome, type RecordRef } from '../queue/outcomes.ts';
import { keysOf, type QueueEntry, type StoredRefusal } from '../queue/queue-entry.ts';
import type { RareResults } from './rare-results.ts';
import { isGrouped } from '../queue/groups.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import type { HeldImage } from '../store/rows.ts';
import type { SavedMember } from '../drafts/draft-rows.ts';
import { badAnswer, type AnswerImages } from '../network/server-link.ts';
import { mergeFreed } from './release.ts';
import { AnswerSettlement, onlyFields } from './settle-answer.ts';

type ResultOf<Outcome extends EntryResult['outcome']> = Extract<EntryResult, { readonly outcome: Outcome }>;

/** What becomes of results that only an upload can have, or that mean something else there. */
export interface ResultActions {
  /** The server could not decide (rule A17): the entry as it waits on, or a refusal of our own. */
  readonly onTryLater: (settlement: AnswerSettlement, entry: QueueEntry, result: ResultOf<'tryLater'>) => void;
  /** The entry's number is given up for good. */
  readonly onVoided: (settlement: AnswerSettlement, entry: QueueEntry) => void;
}

/**
 * Takes the results of entries in, in one commit, and tells of it. Each ends the way the server decided (rules C3, C11); an answer of
 * which one part cannot be right changes nothing.
 *
 * @param entries - what was asked about, in the order of the results
 * @throws {@link SyncFault} `TRANSPORT_BAD_ANSWER`
 */
export async function takeResults(context: NetworkContext, entries: readonly QueueEntry[], answer: UploadAnswer, actions: ResultActions): Promise<void> {
  const { store, schema, places, rules, link, parts, steps, emit } = context;
  if (!rules.areResultsOf(answer.results, entries)) throw badAnswer('its results are not those of the entries sent');
  const images = link.images(answer);
  answer.results.forEach((result, index) => checkResult(result, entries[index]!, images));
  const results = answer.results.map(rules.readResult);
  const isRare = (result: EntryResult, index: number): boolean => RARE.has(result.outcome) || (result.outcome === 'saved' && (result.overwritten.length > 0 || entries[index]!.duplicateOf !== null));
  const part = results.some(isRare) ? await parts.rareResults().catch(() => null) : null;
  // Where the file cannot be loaded, the draft keeps what it shows, and may conflict with the user's own save: a nuisance, and no loss.
  const drafts = store.drafts.count > 0 ? await parts.drafts().catch(() => null) : null;
  await steps.run(async () => {
    const taking = new Taking(context, images, actions);
    const rare = part && new part.RareResults(taking);
    // An entry that has gone on meanwhile is another story than the one that this answer ends.
    const sent = results.flatMap((result, index): Sent[] => {
      const now = store.entry(entries[index]!.seq);
      if (now === undefined || now.number !== entries[index]!.number) return [];
      // What takes a file that cannot be loaded now is answered again later; the rest must not wait for it.
      return [{ entry: now, result: rare === null && isRare(result, index) ? { number: result.number, outcome: 'tryLater', ...UNREADABLE } : result }];
    });
    await taking.read(sent, rare);
    for (const { entry, result } of sent) taking.take(entry, result, rare);
    if (sent.some(({ result }) => result.outcome === 'copied')) rare!.becomeAnotherStore();
    const { offered, alone } = taking.settlement;
    const until = { epoch: answer.server.epoch, position: answer.server.head };
    const grouped = [...alone].filter((key) => isGrouped(places.get(splitKey(key).object)!));
    const merged = await mergeFreed(context, taking.settlement, { offered, until: new Map(grouped.map((key) => [key, until])) });
    const shown = await drafts?.rebaseDrafts(store, schema, taking.settlement, taking.saved);
    await store.commit(taking.settlement.step, 'strict');
    context.noteSaved(taking.saved);
    taking.tell();
    merged.forEach(emit);
    for (const draft of shown ?? []) emit({ type: 'draft:changed', draft, change: 'edited' });
  });
}

const RARE: ReadonlySet<EntryResult['outcome']> = new Set(['discarded', 'needsDuplicate', 'copied']);
const UNREADABLE = { retryAfterMs: 60_000, message: 'a file of the client could not be loaded' };

/** An entry as it is now, and what the server says of it. */
export interface Sent {
  readonly entry: QueueEntry;
  readonly result: EntryResult;
}

/** One answer as it is taken in. */
export class Taking {
  readonly context: EngineContext;
  readonly images: AnswerImages;
  /** Set once all that it may touch is read. */
  settlement!: AnswerSettlement;
  /** What was saved, for drafts of the same records. */
  readonly saved: SavedMember[] = [];
  readonly #actions: ResultActions;
  readonly #events: SyncEvent[] = [];
  #rowsBefore: ReadonlyMap<Key, { readonly row: Uint8Array | null }> = new Map();

  constructor(context: EngineContext, images: AnswerImages, actions: ResultActions) {
    this.context = context;
    this.images = images;
    this.#actions = actions;
  }

  async read(sent: readonly Sent[], rare: RareResults | null): Promise<void> {
    const { store, rules, records } = this.context;
    const keys = sent.flatMap(({ entry }) => keysOf(entry));
    this.#rowsBefore = await records.readAll(keys);
    this.settlement = new AnswerSettlement(store, rules, await store.readBases([...keys, ...this.images.keys, ...(rare?.keysToRead(sent) ?? [])]));
    await rare?.prepare(sent);
  }

  take(entry: QueueEntry, result: EntryResult, rare: RareResults | null): void {
    const current = 'current' in result ? this.images.byKey(result.current) : new Map<Key, HeldImage>();
    switch (result.outcome) {
      case 'saved': {
        const { store, clock } = this.context;
        const committed = this.images.byKey(result.committed);
        this.settlement.accept(entry, committed, current);
        // Of one that waited longer than later ones are remembered, it would be taken for forgotten that it was saved.
        if (entry.seq <= store.meta.forgottenUpTo) putOutcome(this.settlement.step, entry.seq, { kind: 'saved' }, clock.now());
        this.#noteSaved(entry, committed, current);
        this.#keepSaved(entry, committed);
        rare?.noteOverwritten(entry, result.overwritten);
        if (entry.duplicateOf !== null) rare?.noteDuplicated(entry, entry.duplicateOf);
        return;
      }
      case 'partlySaved': {
        const committed = this.images.byKey(result.committed);
        this.settlement.acceptPartly(entry, this.#refusal(result.refusal), committed, current);
        this.#noteSaved(entry, committed, current);
        this.#keepSaved({ members: entry.members.map((member) => onlyFields(member, (name) => !result.refusal.fields.includes(name))) }, committed);
        return this.noteRefused(entry);
      }
      case 'refused':
        this.settlement.refuse(entry, this.#refusal(result.refusal), current);
        return this.noteRefused(entry);
      case 'discarded':
      case 'needsDuplicate':
        return rare!.setAside(entry, result, current);
      case 'voided':
        return this.#actions.onVoided(this.settlement, entry);
      case 'tryLater':
        this.#actions.onTryLater(this.settlement, entry, result);
        this.#events.push({ type: 'upload:deferred', entry: entry.seq, retryAfterMs: result.retryAfterMs, reason: result.message });
        this.noteRefused(entry);
    }
  }

  /** Tells of what is durable now. */
  tell(): void {
    const { emit } = this.context;
    for (const event of this.#events) emit(event);
    for (const notice of this.settlement.step.notices.values()) {
      if (notice !== null) emit({ type: 'notice:raised', notice: notice.id, kind: notice.kind, object: notice.object, id: notice.recordId });
    }
  }

  /** Rule A27: one event per record; one that the server took away with the save is gone here too, and the user is told. */
  #noteSaved(entry: QueueEntry, committed: ReadonlyMap<Key, HeldImage>, current: ReadonlyMap<Key, HeldImage>): void {
    const { store, records } = this.context;
    for (const { object, id, op } of entry.members) {
      const key = keyOf(object, id);
      const then = committed.get(key);
      if (op !== 'remove' && then !== undefined && then.state !== 'live') this.raise({ object, id }, [entry.seq], { kind: 'removed', state: then.state });
      const after = store.rowOf(current.get(key) ?? null, object);
      const changedByServer = records.changedFields(object, this.#rowsBefore.get(key)?.row ?? null, after);
      this.#events.push({ type: 'upload:accepted', entry: entry.seq, object, id, changedByServer });
    }
  }

  #keepSaved({ members }: Pick<QueueEntry, 'members'>, committed: ReadonlyMap<Key, HeldImage>): void {
    for (const sent of members) {
      const onto = committed.get(keyOf(sent.object, sent.id));
      if (onto !== undefined) this.saved.push({ sent, onto });
    }
  }

  readonly noteRefused = ({ seq }: QueueEntry): void => {
    const entry = this.settlement.step.entries.get(seq);
    if (!entry?.refusal) return;
    const { class: reason, fields } = entry.refusal;
    const { object, id } = entry.members[0]!;
    this.#events.push({ type: 'upload:refused', entry: seq, object, id, reason, fields }, { type: 'sync-error:raised', syncError: seq, object, id, reason });
  };

  readonly raise = ({ object, id }: RecordRef, entries: readonly number[], subject: NoticeSubject): number => {
    const { store, rules, clock } = this.context;
    return raiseNotice(this.settlement.step, store, rules, { object, id, entries, raisedAt: clock.now() }, subject);
  };

  #refusal({ online, ...stated }: ResultOf<'refused'>['refusal']): StoredRefusal {
    return { ...stated, online: online === null ? null : this.images.image(online), refusedAt: this.context.clock.now() };
  }
}
