import { encodeEnvelope } from '../../protocol/envelope.ts';
import type { FeedAnswer, FeedPart, SnapshotKey } from '../../protocol/messages.ts';
import { compareTexts } from '../../protocol/value.ts';
import type { NetworkContext } from '../engine-context.ts';
import { Step } from '../store/step.ts';
import { orderedKey, STATE } from '../store/stored.ts';
import { applyParts } from './apply-parts.ts';
import { badAnswer } from './server-link.ts';
import type { PartContent } from './staged-parts.ts';

/**
 * Keeps one part of a transaction that is larger than a page; with the last one, all of them are taken in (rules A29, A35). When the records
 * have changed between two parts, what is staged is dropped, and the first part of what they are now begins anew.
 */
export async function stagePart(context: NetworkContext, page: FeedAnswer, part: FeedPart): Promise<void> {
  const { store, link, rules, emit } = context;
  const { layouts, items, groups, outside, server: { time } } = page;
  const before = store.meta.part;
  const isNext = before !== null && rules.isNextPart(before, part);
  if (!isNext && part.place !== 0) throw badAnswer('its part follows no other');
  const images = link.images(page);
  if (part.next !== null && (images.keys.length === 0 || (isNext && !isAfter(part.next, before.next!)))) throw badAnswer('its parts do not go forward');
  images.byKey([...groups.flatMap(({ members }) => members), ...page.transactions.flatMap((transaction) => transaction.items), ...outside]);
  const step = new Step();
  if (!isNext) dropParts(context, step);
  const restarts = isNext ? before.restarts : before === null ? 0 : before.restarts + 1;
  step.putState.push({ key: orderedKey(STATE.part, part.place), bytes: encodeEnvelope({ layouts, items, groups, outside, time } satisfies PartContent) });
  step.meta = {
    part: { revision: part.revision, place: part.place, next: part.next, restarts, cursor: page.next, applying: null },
    // A cursor that was refused is not asked with again.
    ...(page.gap !== null && { cursor: page.from, hasFeedGap: true }),
  };
  await store.commit(step, 'relaxed');
  emit({ type: 'feed:part-staged', place: part.place, restarts });
  if (page.gap !== null) emit({ type: 'feed:gap-found', reason: page.gap });
  if (part.next === null) await applyParts(context, { epoch: page.server.epoch, position: page.server.head });
}

/** In the order of keys, in which parts come: else a hostile or broken server could keep a device reading for ever. */
function isAfter(next: SnapshotKey, before: SnapshotKey): boolean {
  return (compareTexts(next.object, before.object) || compareTexts(next.id, before.id)) > 0;
}

/** Lets go of the parts that are staged: something else takes their place. */
export function dropParts({ store }: Pick<NetworkContext, 'store'>, step: Step): void {
  const { part } = store.meta;
  if (part === null) return;
  for (let place = 0; place <= part.place; place++) step.removeState.push(orderedKey(STATE.part, place));
  step.meta = { ...step.meta, part: null };
}
