import { ATTENTION, type AttentionEntry, type Verdict } from '../core/core.ts';
import type { FeedAnswer, FeedCursor } from '../protocol/messages.ts';
import { isInMask } from '../protocol/row.ts';
import { NO_VERSION } from '../protocol/version.ts';
import type { EngineContext } from './engine-context.ts';
import type { SyncEvent } from './engine.ts';
import { splitKey, type Key } from './record-key.ts';
import type { HeldImage } from './rows.ts';
import { badAnswer } from './server-link.ts';
import { Settlement } from './settle.ts';

/** What a poll brought. */
export interface PollResult {
  /** There is more to read at once. */
  readonly more: boolean;
  readonly nextPollMs: number | null;
}

/** Reads the feed page by page; each page and its cursor are one commit (rules A29, A33, A39). */
export class FeedPoller {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** Reads one page. Rejects with the fault when there was no answer that counts. */
  async poll(): Promise<PollResult> {
    const { store, link, steps, emit } = this.#context;
    const asked = store.meta.cursor;
    const { page, head } = await link.feed(store.meta.store, asked);
    emit({ type: 'feed:polled', transactions: page?.transactions.length ?? 0, head: head.server.head });
    if (page === null) return { more: false, nextPollMs: head.server.nextPollMs };
    checkPage(page, asked);
    await steps.run(() => this.#merge(page, asked));
    return { more: page.more, nextPollMs: page.server.nextPollMs };
  }

  async #merge(page: FeedAnswer, asked: FeedCursor | null): Promise<void> {
    const { store, link, core, rules, emit } = this.#context;
    // A download moved the cursor while this page was under way: the page is older than what is here.
    if (store.meta.cursor !== asked) return;
    const images = link.images(page);
    images.byKey(page.transactions.flatMap(({ items }) => items));
    const keys = Array.from({ length: images.table.count }, (_, index) => images.key(index));
    const bases = await store.readBases(keys);
    const plan = core.planFeed({
      items: page.items,
      layouts: images.layouts,
      baseVersions: bases.map((base) => base?.version ?? NO_VERSION),
      attention: attentionOf(this.#context, keys),
      replace: 'newer',
    });
    if (!plan.ok) throw badAnswer(`its records cannot be planned (${plan.status})`);
    const settlement = new Settlement(store, rules, new Map(keys.map((key, index) => [key, bases[index] ?? null])));
    const events: SyncEvent[] = [];
    plan.verdicts.forEach((planned, index) => {
      const verdict = rules.verdict(planned);
      const key = keys[index]!;
      if (verdict === 'merge') {
        const image = images.image(index);
        events.push({ type: 'feed:merged', ...splitKey(key), fields: this.#changedFields(key, settlement.base(key), image), state: image.state });
        settlement.step.putBase(key, image);
      } else if (verdict === 'discard' || verdict === 'wait') {
        settlement.keepAside(key, images.image(index));
        events.push({ type: 'feed:kept-aside', ...splitKey(key), reason: this.#reason(key, verdict) });
      } else events.push({ type: 'feed:skipped', ...splitKey(key), reason: verdict });
    });
    if (page.gap) events.push({ type: 'feed:gap-found' });
    settlement.step.meta = { cursor: rules.cursorAfter(page), hasFeedGap: store.meta.hasFeedGap || page.gap };
    await store.commit(settlement.step, 'relaxed');
    for (const event of events) emit(event);
  }

  #reason(key: Key, verdict: Extract<Verdict, 'discard' | 'wait'>): 'pending' | 'in-error' | 'in-use' {
    if (verdict === 'wait') return 'in-use';
    return this.#context.records.syncState(key) === 'error' ? 'in-error' : 'pending';
  }

  #changedFields(key: Key, before: HeldImage | null, after: HeldImage): string[] {
    const { store, core } = this.#context;
    const { object } = splitKey(key);
    const layout = store.layout(object);
    const [rowBefore, rowAfter] = [store.rowOf(before, object), store.rowOf(after, object)];
    if (rowBefore === null || rowAfter === null) return [];
    const mask = core.diffRows(layout, rowBefore, rowAfter);
    return layout.fields.filter((_, position) => isInMask(mask, position)).map(({ name }) => name);
  }
}

/** The records of a batch that must not be merged into, and why (rule A34, conditions 3 and 4). */
export function attentionOf({ store }: EngineContext, keys: readonly Key[]): AttentionEntry[] {
  return [...new Set(keys)].flatMap((key) => {
    const entries = store.entriesOf(key);
    if (entries.length === 0) return [];
    const flags = entries.some(({ state }) => state === 'failed') ? ATTENTION.inError : 0;
    return [{ ...splitKey(key), flags: flags | (entries.some(({ state }) => state !== 'failed') ? ATTENTION.pending : 0) }];
  });
}

/** Never trust the other side: a page must follow the cursor without a hole, and only go forward. */
function checkPage({ from, next, gap, transactions, server }: FeedAnswer, asked: FeedCursor | null): void {
  if (!gap && asked !== null && (from.feed !== asked.feed || from.epoch !== asked.epoch || from.position !== asked.position)) {
    throw badAnswer('its page begins elsewhere than was asked');
  }
  if (next.feed !== from.feed || next.epoch !== from.epoch || next.position < from.position || next.position > server.head) {
    throw badAnswer('its cursor does not go forward');
  }
  const positions = transactions.map(({ position }) => position);
  if (positions.length !== next.position - from.position || positions.some((position, index) => position !== from.position + index + 1)) {
    throw badAnswer('its page has a hole');
  }
}
