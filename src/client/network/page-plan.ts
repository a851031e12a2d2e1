import { ATTENTION, type AttentionEntry, type FeedPlanInput, type Verdict } from '../../core/core.ts';
import type { FeedAnswer, SnapshotAnswer } from '../../protocol/messages.ts';
import type { NetworkContext } from '../engine-context.ts';
import type { LocalStore } from '../store/local-store.ts';
import { splitKey, type Key } from '../store/record-key.ts';
import { versionOf, type HeldImage } from '../store/rows.ts';
import { badAnswer, type AnswerImages } from './server-link.ts';

/** The images of a page from the server, and what is to be done with each. */
export interface PagePlan {
  readonly images: AnswerImages;
  readonly verdicts: readonly Verdict[];
  /** What this device holds of the page's records. */
  readonly bases: ReadonlyMap<Key, HeldImage>;
}

/** Validates a page of the feed or of a download, and lets the core decide about each image (rules A39, C6). */
export async function planPage(
  { store, link, core, rules }: NetworkContext,
  page: Pick<FeedAnswer | SnapshotAnswer, 'layouts' | 'items'>,
  replace: FeedPlanInput['replace'],
): Promise<PagePlan> {
  const images = link.images(page);
  const bases = await store.readBases(images.keys);
  const plan = core.planFeed({
    items: page.items,
    layouts: images.layouts,
    baseVersions: images.keys.map((key) => versionOf(bases.get(key))),
    attention: attentionOf(store, images.keys),
    replace,
  });
  if (!plan.ok) throw badAnswer(`its records cannot be planned (${plan.status})`);
  return { images, bases, verdicts: plan.verdicts.map(rules.verdict) };
}

/** The records of a page that must not be merged into, and why (rule A34, conditions 3 and 4). */
function attentionOf(store: LocalStore, keys: readonly Key[]): AttentionEntry[] {
  return [...new Set(keys)].flatMap((key) => {
    const inUse: number = store.isInUse(key) ? ATTENTION.inUse : 0;
    const flags = store.entriesOf(key).reduce((before, { state }) => before | (state === 'failed' ? ATTENTION.inError : ATTENTION.pending), inUse);
    return flags === 0 ? [] : { ...splitKey(key), flags };
  });
}
