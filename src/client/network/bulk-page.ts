import type { BatchCore, BatchIndex, MergedBatch } from '../../core/batch.ts';
import { countOf, idAt } from '../../core/row-block.ts';
import { encodeImages, type Image } from '../../protocol/items.ts';
import type { Layout } from '../../protocol/layout.ts';
import type { FeedAnswer } from '../../protocol/messages.ts';
import { namesInMask } from '../../protocol/row.ts';
import { parseLayouts } from '../../protocol/wire-layout.ts';
import { mastersOf } from '../answers/around.ts';
import type { NetworkContext } from '../engine-context.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import type { Meta } from '../store/stored.ts';
import type { SyncEvent } from '../sync-event.ts';
import { besideMerged, CARE, careFor, careForAll, careIn, imageAt, MERGE, STALE, SUPERSEDED } from './bulk-rows.ts';
import { badAnswer } from './server-link.ts';
import { takePage, type TakenPage } from './take-page.ts';

type Page = Pick<FeedAnswer, 'layouts' | 'items' | 'groups' | 'outside' | 'server'>;

/**
 * Takes in a page of the feed, all that is plain of it at once: live images of records by themselves, outside of groups and with no masters, of
 * which the device holds a live row at most and knows nothing else. The others are taken in as ever, in the same step.
 *
 * @returns `null` for a page that is to be taken in as ever altogether: little of it is plain, or it has a record twice
 */
export async function takeBulk(context: NetworkContext, batch: BatchCore, page: Page, moved: Partial<Pick<Meta, 'cursor' | 'hasFeedGap'>>): Promise<TakenPage | null> {
  const { store, schema } = context;
  const layouts = parseLayouts(page.layouts);
  const index = batch.indexBatch(page.items, layouts);
  if (!index.ok) throw badAnswer(`its records are not canonical (${index.status} at byte ${index.offset})`);
  const plain = new Set(index.objects.filter((object) => isPlain(context, layouts, object)));
  const care = gatherCare(context, page, index, layouts, plain);
  if (care === null) return null;
  const ids = new Map([...plain].map((object) => [object, index.ids(object)] as const));
  const bases = await Promise.all([...ids].map(async ([object, own]) => ({ object, blocks: await store.packed!.readAround({ object, ids: own }) })));
  const needsCare = careIn(store);
  for (const [object, own] of needsCare === null ? [] : ids) {
    for (let row = 0; row < countOf(own); row++) {
      const key = keyOf(object, idAt(own, row));
      if (needsCare!(key)) care.add(key);
    }
  }
  const attention = [...careForAll([...care].filter((key) => plain.has(splitKey(key).object))), ...index.objects.filter((object) => !plain.has(object)).map((object) => careFor(object, idsIn(index.ids(object))))];
  const merged = batch.mergeBatch({ items: page.items, layouts, index, bases, attention, replace: 'newer' });
  if (merged.verdicts.includes(SUPERSEDED)) return null;
  const { settlement, keys, events } = await takePage(context, subPage(page, index, merged.verdicts), moved);
  const { step } = settlement;
  const beside = besideMerged(schema, index, layouts, merged.verdicts);
  step.putPacked.push(...merged.put);
  step.putState.push(...beside.putState);
  for (const layout of beside.layouts) step.layouts.set(layout.hash, layout);
  return { settlement, keys, count: index.count, events: context.isHeard() ? [...describe(index, layouts, merged), ...events] : events };
}

/** Whether records of an object can be taken in by themselves, and as they are. */
function isPlain({ places, schema, store }: NetworkContext, layouts: readonly Layout[], object: string): boolean {
  const place = places.get(object);
  if (schema.objects[object] === undefined || place === undefined || place.parent !== null || place.children.length + place.masters.length > 0) return false;
  return layouts.every((layout) => layout.object !== object || layout.hash === store.layout(object).hash);
}

/**
 * Plain records that others are not merged without, or that the page says more of: the masters of what is not plain and of what is kept aside,
 * the members of groups, what is out of scope. `null` when most of the page is not plain.
 */
function gatherCare({ places, store }: NetworkContext, { groups, outside }: Page, index: BatchIndex, layouts: readonly Layout[], plain: ReadonlySet<string>): Set<Key> | null {
  const care = new Set<Key>();
  const isPlainLayout = layouts.map(({ object }) => plain.has(object));
  let rest = 0;
  for (let image = 0; image < index.count; image++) {
    const layout = index.layout(image);
    if (isPlainLayout[layout]) continue;
    if (++rest * 2 > index.count) return null;
    const { id, state, version, row } = imageAt(index, image);
    for (const master of mastersOf(places, keyOf(layouts[layout]!.object, id), { layout: layouts[layout]!, state, version, row })) care.add(master);
  }
  if ([...places.values()].some(({ masters }) => masters.length > 0)) {
    for (const { members } of store.parked.values()) for (const key of members.keys()) for (const master of mastersOf(places, key, store.side(key))) care.add(master);
  }
  for (const image of [...groups.flatMap(({ members }) => members), ...outside]) {
    if (image >= index.count) throw badAnswer('it points to a record that it does not hold');
    care.add(keyOf(layouts[index.layout(image)]!.object, index.id(image)));
  }
  return care;
}

/** The part of a page that is not plain. */
function subPage(page: Page, index: BatchIndex, verdicts: Uint8Array): Page {
  const images: Image[] = [], places = new Map<number, number>();
  verdicts.forEach((verdict, image) => {
    if (verdict !== CARE) return;
    places.set(image, images.length);
    images.push(imageAt(index, image));
  });
  const placesOf = (at: readonly number[]): number[] => at.map((image) => places.get(image)!);
  return { ...page, items: encodeImages(images), groups: page.groups.map((group) => ({ ...group, members: placesOf(group.members) })), outside: placesOf(page.outside) };
}

/** What is told of the plain records. */
function describe(index: BatchIndex, layouts: readonly Layout[], { verdicts, changes }: MergedBatch): SyncEvent[] {
  const changeOf = new Map(Array.from({ length: changes.count }, (_, change) => [changes.imageOf(change), change] as const));
  return Array.from(verdicts).flatMap((verdict, image): SyncEvent[] => {
    if (verdict !== MERGE && verdict !== STALE) return [];
    const layout = layouts[index.layout(image)]!, named = { object: layout.object, id: index.id(image) };
    if (verdict === STALE) return [{ type: 'feed:skipped', ...named, reason: 'stale' }];
    const change = changeOf.get(image)!;
    return [{ type: 'feed:merged', ...named, fields: changes.isNew(change) ? [] : namesInMask(layout, changes.maskOf(change)), state: 'live' }];
  });
}

function idsIn(block: Uint8Array): string[] {
  return Array.from({ length: countOf(block) }, (_, row) => idAt(block, row));
}
