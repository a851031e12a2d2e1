import { encodeChanges } from '../../protocol/items.ts';
import type { Layout } from '../../protocol/layout.ts';
import type { ProtocolLimits } from '../../protocol/limits.ts';
import type { WireEntry } from '../../protocol/messages.ts';
import { wireLayout } from '../../protocol/wire-layout.ts';
import { pickBackoff } from '../../shared/backoff.ts';
import { isFault } from '../../shared/fault.ts';
import { MOST_WAIT_MS } from '../../transport/answer.ts';
import type { NetworkContext } from '../engine-context.ts';
import { sizeOf } from '../queue/entry-size.ts';
import { ownRefusal, type QueueEntry } from '../queue/queue-entry.ts';
import { AnswerSettlement } from '../answers/settle-answer.ts';
import { Step } from '../store/step.ts';
import { takeResults } from '../answers/take-result.ts';
import { planUpload } from './upload-plan.ts';

/** Rule A17: an entry that the server could not decide this often, over this long, becomes a sync error. */
const POISON = { deferrals: 20, forMs: 3_600_000 } as const;

/** What became of a request: `afterMs` until the next, where nothing came of this one. */
export type UploadRound = { readonly kind: 'sent'; readonly afterMs: number } | { readonly kind: 'nothing-to-send' };

/** Carries the queue to the server: plan, freeze, send, settle. One request at a time. */
export class Uploader {
  readonly #context: NetworkContext;
  readonly #limits: () => ProtocolLimits;
  readonly #pollsSucceed: () => boolean;
  /** When deferred entries are due, in monotonic milliseconds. */
  readonly #deferredUntil = new Map<number, number>();
  /** Shrinks when a request was too large. */
  #mostEntries = Infinity;
  /** Requests in a row after which all that was sent could be sent again at once. */
  #fruitless = 0;

  constructor(context: NetworkContext, limits: () => ProtocolLimits, pollsSucceed: () => boolean) {
    this.#context = context;
    this.#limits = limits;
    this.#pollsSucceed = pollsSucceed;
  }

  /** Milliseconds until a deferred entry is due; `null` when none is. */
  get nextDueInMs(): number | null {
    const dueAt = [...this.#deferrals().values()];
    return dueAt.length === 0 ? null : Math.max(0, Math.min(...dueAt) - this.#context.clock.monotonic());
  }

  /** Milliseconds until an entry is due that the server asked to send later; `null` for any other. */
  deferredMs(seq: number): number | null {
    const dueAt = this.#deferredUntil.get(seq);
    return dueAt === undefined ? null : Math.max(0, dueAt - this.#context.clock.monotonic());
  }

  /** Sends the next request, if there is one to send. Rejects with the fault when there was no answer that counts. */
  async sendNext(): Promise<UploadRound> {
    const { steps, store, link, schema, answers, emit } = this.#context;
    const entries = await steps.run(() => this.#freeze());
    if (entries.length === 0) return { kind: 'nothing-to-send' };
    for (const { seq } of entries) this.#deferredUntil.delete(seq);
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
        await takeResults(this.#context, entries, answer, {
          onTryLater: (settlement, entry, { retryAfterMs, message }) => this.#defer(settlement, entry, retryAfterMs, message),
          // Nothing was ever written under that number: the change goes on under another.
          onVoided: ({ step }, entry) => step.putEntry({ ...entry, state: 'queued', number: null }),
        });
      });
      this.#mostEntries = Math.min(this.#limits().entries, this.#mostEntries * 2);
    } catch (fault) {
      if (!isFault(fault, 'PROTOCOL_TOO_LARGE')) throw fault;
      await this.#shrink(entries);
      return { kind: 'sent', afterMs: 0 };
    }
    return { kind: 'sent', afterMs: this.#restAfter(entries) };
  }

  /** A server that decides nothing, and puts nothing off, is asked less and less often. Once may be chance, such as a number given up. */
  #restAfter(sent: readonly QueueEntry[]): number {
    const isDueAgain = ({ seq }: QueueEntry): boolean => {
      const entry = this.#context.store.entry(seq);
      return entry !== undefined && entry.state !== 'failed' && (this.deferredMs(seq) ?? 0) === 0;
    };
    this.#fruitless = sent.every(isDueAgain) ? this.#fruitless + 1 : 0;
    return this.#fruitless < 2 ? 0 : pickBackoff(this.#fruitless - 1, this.#context.random);
  }

  /** Picks the next entries, numbers them and freezes their bytes, durably, before anything is sent (rules C2, C4). */
  async #freeze(): Promise<QueueEntry[]> {
    const { store, rules, schema } = this.#context;
    const limits = this.#limits();
    const picked = (rules.planUpload ?? planUpload)({
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
      if (number === entry.number && entry.state === 'sending') return entry;
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

  /** Rule A17: it is tried later, and becomes a sync error when that has gone on for long while all else went well. */
  #defer(settlement: AnswerSettlement, entry: QueueEntry, retryAfterMs: number, message: string): void {
    const { clock } = this.#context;
    // While nothing gets through, the server is at fault and not this entry.
    const isCounted = this.#pollsSucceed();
    const deferrals = entry.deferrals + Number(isCounted);
    const deferredSince = entry.deferredSince ?? (isCounted ? clock.now() : null);
    const deferred = { ...entry, deferrals, deferredSince };
    if (isCounted && deferrals >= POISON.deferrals && clock.now() - deferredSince! >= POISON.forMs) {
      return settlement.refuse(deferred, ownRefusal('server-error', message, clock.now()));
    }
    settlement.step.putEntry(deferred);
    this.#deferredUntil.set(entry.seq, clock.monotonic() + Math.min(retryAfterMs, MOST_WAIT_MS));
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
      const settlement = new AnswerSettlement(store, rules, new Map());
      settlement.refuse(entry, ownRefusal('too-large', 'The server does not accept so large a change.', clock.now()));
      await store.commit(settlement.step, 'strict');
      emit({ type: 'sync-error:raised', syncError: entry.seq, ...nameOf(entry), reason: 'too-large' });
    });
  }

  #deferredNow(): Set<number> {
    const now = this.#context.clock.monotonic();
    return new Set([...this.#deferrals()].flatMap(([seq, dueAt]) => (dueAt > now ? [seq] : [])));
  }

  /** One that was given up on meanwhile waits no more: what is sent in its place is another matter. */
  #deferrals(): ReadonlyMap<number, number> {
    for (const seq of this.#deferredUntil.keys()) if (this.#context.store.entry(seq)?.state !== 'sending') this.#deferredUntil.delete(seq);
    return this.#deferredUntil;
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

/** The record that an entry is about. */
export function nameOf(entry: QueueEntry): { readonly object: string; readonly id: string } {
  const { object, id } = entry.members[0]!;
  return { object, id };
}
