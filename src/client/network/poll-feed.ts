import type { FeedAnswer, FeedCursor } from '../../protocol/messages.ts';
import { releaseLeft } from '../answers/release.ts';
import type { NetworkContext } from '../engine-context.ts';
import { badAnswer } from './server-link.ts';
import { dropParts, stagePart } from './stage-part.ts';
import { takePage } from './take-page.ts';
import { oldestPending } from '../status.ts';

/** What a poll brought. */
export interface PollResult {
  /** There is more to read at once. */
  readonly more: boolean;
  readonly nextPollMs: number | null;
}

/** A page with so many bytes of records is merged by the core for large batches. */
const LARGE_BYTES = 16_384;

/** So often a transaction in parts is begun anew at once; from then on with the next poll. */
const MOST_RESTARTS = 3;

/** Merges what could not be merged when a record was left (rule A38): what the disk had no room for may have some by now. */
export async function mergeLeft(context: NetworkContext): Promise<void> {
  // Where there is none, the feed does not wait for it.
  await context.steps.run(() => releaseLeft(context)).catch(() => {});
}

/**
 * Reads one page of the feed; page and cursor are one commit (rules A29, A33, A39). It asks at once: who calls has just seen that it may.
 * Rejects with the fault when there was no answer that counts.
 */
export async function pollFeed(context: NetworkContext): Promise<PollResult> {
  const { store, link, steps, emit } = context;
  const asked = store.meta.cursor;
  const { page, head } = await link.feed(store.meta.store, asked, pendingHeader(context), store.meta.part);
  emit({ type: 'feed:polled', transactions: page?.transactions.length ?? 0, head: head.server.head });
  if (page !== null) {
    checkPage(page, asked);
    if (isLarge(context, page)) await prepareLarge(context);
    await steps.run(() => merge(context, page, asked));
    // Its memory is given back.
    if (!page.more) context.batch.take = null;
    // Whoever changes a large transaction all the time must not have this device read it all the time.
    if ((store.meta.part?.restarts ?? 0) > MOST_RESTARTS && page.part?.place === 0) return { more: false, nextPollMs: head.server.nextPollMs };
  }
  return { more: page?.more ?? false, nextPollMs: head.server.nextPollMs };
}

/** Rule A3: how many entries the server does not have, and the age of the oldest in whole seconds: `COUNT.AGE`. */
function pendingHeader({ store, clock }: NetworkContext): string {
  const age = clock.now() - (oldestPending(store.entries) ?? clock.now());
  return `${store.counts.pending}.${Math.max(0, Math.floor(age / 1_000))}`;
}

async function merge(context: NetworkContext, page: FeedAnswer, asked: FeedCursor | null): Promise<void> {
  const { store, rules, emit } = context;
  // A download moved the cursor while this page was under way: the page is older than what is here.
  if (store.meta.cursor !== asked) return;
  if (page.part !== null) return stagePart(context, page, page.part);
  const moved = { cursor: rules.cursorAfter(page), hasFeedGap: store.meta.hasFeedGap || page.gap !== null };
  // While a download is under way, what comes in is noted for it record by record.
  const take = isLarge(context, page) && store.meta.download === null && !store.notesFresh ? context.batch.take : null;
  const { settlement, count, events } = (await take?.(page, moved)) ?? (await takePage(context, page, moved));
  if (page.transactions.some(({ items }) => items.some((index) => index >= count))) throw badAnswer('it points to a record that it does not hold');
  // It is no longer too large for a page.
  dropParts(context, settlement.step);
  await store.commit(settlement.step, 'relaxed');
  events.forEach(emit);
  if (page.gap !== null) emit({ type: 'feed:gap-found', reason: page.gap });
}

/** Whether a page is worth the core for large batches, and the storage gives and takes rows in blocks. */
function isLarge({ store }: NetworkContext, page: FeedAnswer): boolean {
  return store.packed !== undefined && page.part === null && page.items.length >= LARGE_BYTES;
}

/** Loads the core for large batches: before the step, which must not wait for a file. Where there is none to be had, as offline, it goes without. */
async function prepareLarge(context: NetworkContext): Promise<void> {
  const { parts, random, core, batch } = context;
  const part = batch.take === null ? await parts.bulk().catch(() => null) : null;
  if (part === null) return;
  const loaded = await part.loadBatchCore({ random, ...(core.build === 'twin' && { build: core.build }) });
  batch.take = (page, moved) => part.takeBulk(context, loaded, page, moved);
}

/** Never trust the other side: a page must follow the cursor without a hole, and only go forward. */
function checkPage({ from, next, more, gap, transactions, part, server }: FeedAnswer, asked: FeedCursor | null): void {
  if (gap === null && asked !== null && (from.feed !== asked.feed || from.epoch !== asked.epoch || from.position !== asked.position)) {
    throw badAnswer('its page begins elsewhere than was asked');
  }
  if (next.feed !== from.feed || next.epoch !== from.epoch || next.position < from.position || next.position > server.head) {
    throw badAnswer('its cursor does not go forward');
  }
  const positions = transactions.map(({ position }) => position);
  const isUnfinished = (part?.next ?? null) !== null;
  if (part !== null && positions.length === 0) throw badAnswer('its part is of no transaction');
  if (isUnfinished && (next.position !== from.position || !more)) throw badAnswer('its cursor goes past a transaction that is not all there');
  if ((!isUnfinished && positions.length !== next.position - from.position) || positions.some((position, index) => position !== from.position + index + 1)) {
    throw badAnswer('its page has a hole');
  }
  if (more && transactions.length === 0) throw badAnswer('its page is empty, and there is said to be more');
}
