import { encodeChanges } from '../protocol/items.ts';
import type { Layout } from '../protocol/layout.ts';
import type { EntryResult, ProtocolLimits, UploadAnswer, WireEntry } from '../protocol/messages.ts';
import { wireLayout } from '../protocol/parse.ts';
import { createId } from '../shared/ids.ts';
import { isFault } from '../shared/fault.ts';
import type { EngineContext } from './engine-context.ts';
import { keysOf, ownRefusal, type QueueEntry, type StoredRefusal } from './queue-entry.ts';
import { keyOf, type Key } from './record-key.ts';
import type { HeldImage, Member } from './rows.ts';
import { badAnswer, type AnswerImages } from './server-link.ts';
import { Settlement } from './settle.ts';
import { Step } from './step.ts';

/** Rule A17: an entry that the server could not decide this often, over this long, becomes a sync error. */
const POISON = { deferrals: 20, forMs: 3_600_000 } as const;

/** Carries the queue to the server: plan, freeze, send, settle. One request at a time. */
export class Uploader {
  readonly #context: EngineContext;
  readonly #limits: () => ProtocolLimits;
  /** When deferred entries are due, in monotonic milliseconds. */
  readonly #deferredUntil = new Map<number, number>();
  /** Shrinks when a request was too large. */
  #mostEntries = Infinity;

  constructor(context: EngineContext, limits: () => ProtocolLimits) {
    this.#context = context;
    this.#limits = limits;
  }

  /** Milliseconds until a deferred entry is due; `null` when none is. */
  get nextDueInMs(): number | null {
    if (this.#deferredUntil.size === 0) return null;
    return Math.max(0, Math.min(...this.#deferredUntil.values()) - this.#context.clock.monotonic());
  }

  /** Sends the next request, if there is one to send. Rejects with the fault when there was no answer that counts. */
  async sendNext(): Promise<'sent' | 'nothing-to-send'> {
    const { steps, store, link, schema, answers, emit } = this.#context;
    const entries = await steps.run(() => this.#freeze());
    if (entries.length === 0) return 'nothing-to-send';
    const changes = entries.flatMap(({ members }) => members);
    const layouts = [...new Map(changes.map(({ layout }) => [layout.hash, layout])).values()];
    const placeOf = ({ hash }: Layout): number => layouts.findIndex((layout) => layout.hash === hash);
    const items = encodeChanges(changes.map((change) => ({ ...change, layout: placeOf(change.layout) })));
    emit({ type: 'upload:started', entries: entries.map(({ seq }) => seq), bytes: items.length });
    const identity = store.meta.store;
    try {
      await answers.pass(async () => {
        const answer = await link.upload({
          store: identity,
          schema: schema.hash,
          layouts: layouts.map(wireLayout),
          entries: entries.map(wireEntry),
          items,
        });
        await steps.run(() => this.#settle(entries, answer));
      });
      this.#mostEntries = Math.min(this.#limits().entries, this.#mostEntries * 2);
    } catch (fault) {
      if (!isFault(fault, 'PROTOCOL_TOO_LARGE')) throw fault;
      await this.#shrink(entries);
    }
    return 'sent';
  }

  /** Picks the next entries, numbers them and freezes their bytes, durably, before anything is sent (rules C2, C4). */
  async #freeze(): Promise<QueueEntry[]> {
    const { store, rules, schema } = this.#context;
    const limits = this.#limits();
    const picked = rules.planUpload({
      entries: store.entries,
      schema,
      limits: { entries: Math.min(limits.entries, this.#mostEntries), bytes: Math.floor(limits.bodyBytes / 2) },
      deferred: this.#deferredNow(),
      sizeOf,
    });
    const step = new Step();
    let { nextNumber } = store.meta;
    const frozen = picked.map((entry): QueueEntry => {
      const number = rules.numberFor(entry, nextNumber);
      if (number === entry.number) return entry;
      nextNumber = Math.max(nextNumber, number + 1);
      const sending = { ...entry, number, state: 'sending' as const };
      step.putEntry(sending);
      return sending;
    });
    if (step.entries.size > 0) {
      step.meta = { nextNumber };
      await store.commit(step, 'strict');
    }
    return frozen;
  }

  async #settle(entries: readonly QueueEntry[], answer: UploadAnswer): Promise<void> {
    const { store, rules, link } = this.#context;
    if (!rules.areResultsOf(answer.results, entries)) throw badAnswer('its results are not those of the entries sent');
    const images = link.images(answer);
    answer.results.forEach((result, index) => checkResult(result, entries[index]!, images));
    const settlement = new Settlement(store, rules, await store.readBases([...entries.flatMap(keysOf), ...images.keys]));
    const changedByServer = await this.#fieldsChangedByServer(answer, entries, images);
    for (const [index, result] of answer.results.entries()) this.#settleOne(settlement, entries[index]!, rules.readResult(result), images);
    await store.commit(settlement.step, 'strict');
    this.#report(entries, answer, changedByServer);
  }

  #settleOne(settlement: Settlement, entry: QueueEntry, result: EntryResult, images: AnswerImages): void {
    this.#deferredUntil.delete(entry.seq);
    switch (result.outcome) {
      case 'saved':
        return settlement.accept(entry, images.byKey(result.committed), images.byKey(result.current));
      case 'refused': {
        const { online, ...stated } = result.refusal;
        const refusal: StoredRefusal = { ...stated, online: online === null ? null : images.image(online), refusedAt: this.#context.clock.now() };
        return settlement.refuse(entry, refusal, images.byKey(result.current));
      }
      case 'tryLater':
        return this.#defer(settlement, entry, result.retryAfterMs, result.message);
      case 'copied':
        return this.#becomeAnotherStore(settlement);
    }
  }

  #defer(settlement: Settlement, entry: QueueEntry, retryAfterMs: number, message: string): void {
    const { clock } = this.#context;
    const deferredSince = entry.deferredSince ?? clock.now();
    const deferrals = entry.deferrals + 1;
    if (deferrals >= POISON.deferrals && clock.now() - deferredSince >= POISON.forMs) {
      return settlement.refuse({ ...entry, deferrals, deferredSince }, ownRefusal('server-error', message, clock.now()));
    }
    settlement.step.putEntry({ ...entry, deferrals, deferredSince });
    this.#deferredUntil.set(entry.seq, clock.monotonic() + retryAfterMs);
  }

  /** Rule C2: our numbers belong to another copy of this store. What was sent has an unknown fate; the rest starts a new life. */
  #becomeAnotherStore(settlement: Settlement): void {
    const { clock, random, store } = this.#context;
    if (settlement.step.meta.store !== undefined) return;
    settlement.step.meta = { ...settlement.step.meta, store: createId(clock, random) };
    for (const entry of store.entries) {
      if (entry.state !== 'sending' || settlement.step.entries.get(entry.seq) === null) continue;
      const message = 'This store was copied: whether this change was saved, nobody can tell.';
      settlement.refuse(entry, ownRefusal('fate-unknown', message, clock.now()));
    }
  }

  /** A request was too large: halve it, or give a single entry back to the user. */
  async #shrink(entries: readonly QueueEntry[]): Promise<void> {
    if (entries.length > 1) {
      this.#mostEntries = Math.ceil(entries.length / 2);
      return;
    }
    const { steps, store, rules, clock, emit } = this.#context;
    const entry = entries[0]!;
    await steps.run(async () => {
      const settlement = new Settlement(store, rules, new Map());
      settlement.refuse(entry, ownRefusal('too-large', 'The server does not accept so large a change.', clock.now()));
      await store.commit(settlement.step, 'strict');
      emit({ type: 'sync-error:raised', syncError: entry.seq, ...nameOf(entry), reason: 'too-large' });
    });
  }

  #deferredNow(): Set<number> {
    const now = this.#context.clock.monotonic();
    for (const [seq, dueAt] of this.#deferredUntil) if (dueAt <= now) this.#deferredUntil.delete(seq);
    return new Set(this.#deferredUntil.keys());
  }

  /** Per accepted entry: fields in which the saved record differs from what the user saw (rule A27). */
  async #fieldsChangedByServer(answer: UploadAnswer, entries: readonly QueueEntry[], images: AnswerImages): Promise<Map<number, string[]>> {
    const { records, store } = this.#context;
    const changed = new Map<number, string[]>();
    for (const [index, result] of answer.results.entries()) {
      if (result.outcome !== 'saved') continue;
      const { object, id } = nameOf(entries[index]!);
      const key = keyOf(object, id);
      const { row: before } = await records.read(key);
      const after = store.rowOf(images.byKey(result.current).get(key) ?? null, object);
      changed.set(entries[index]!.seq, records.changedFields(object, before, after));
    }
    return changed;
  }

  #report(entries: readonly QueueEntry[], answer: UploadAnswer, changedByServer: ReadonlyMap<number, string[]>): void {
    const { emit } = this.#context;
    answer.results.forEach((result, index) => {
      const entry = entries[index]!;
      const name = nameOf(entry);
      if (result.outcome === 'saved') emit({ type: 'upload:accepted', entry: entry.seq, ...name, changedByServer: changedByServer.get(entry.seq) ?? [] });
      else if (result.outcome === 'tryLater') emit({ type: 'upload:deferred', entry: entry.seq, retryAfterMs: result.retryAfterMs, reason: result.message });
      const refused = this.#context.store.entry(entry.seq)?.refusal ?? null;
      if (refused !== null) {
        emit({ type: 'upload:refused', entry: entry.seq, ...name, reason: refused.class, fields: refused.fields });
        emit({ type: 'sync-error:raised', syncError: entry.seq, ...name, reason: refused.class });
      }
    });
  }
}

function wireEntry({ number, savedAt, members, headers, duplicateOf }: QueueEntry): WireEntry {
  return {
    number: number!,
    savedAt,
    members: members.length,
    headers: headers.map(({ object, id, base: [epoch, n] }) => ({ object, id, epoch, n })),
    duplicateOf,
  };
}

/** Bytes of an entry on the wire, near enough for limits. */
export function sizeOf(entry: QueueEntry): number {
  return entry.members.reduce((size, { id, mask, previous, next }) => size + id.length * 3 + 32 + (mask?.length ?? 0) + (previous?.length ?? 0) + (next?.length ?? 0), 0);
}

/** The record that an entry is about. */
export function nameOf(entry: QueueEntry): { readonly object: string; readonly id: string } {
  const { object, id } = entry.members[0]!;
  return { object, id };
}

/** A result must say everything that settling needs, or nothing of the answer counts. */
function checkResult(result: EntryResult, entry: QueueEntry, images: AnswerImages): void {
  if (result.outcome === 'saved') {
    const committed: ReadonlyMap<Key, HeldImage> = images.byKey(result.committed);
    images.byKey(result.current);
    const isMissing = ({ object, id, op }: Member): boolean => op !== 'remove' && !committed.has(keyOf(object, id));
    if (entry.members.some(isMissing)) throw badAnswer('it does not hold the records that it saved');
  } else if (result.outcome === 'refused') {
    images.byKey(result.refusal.online === null ? result.current : [...result.current, result.refusal.online]);
    if (result.refusal.member >= entry.members.length) throw badAnswer('it refuses a record that was not sent');
  }
}
