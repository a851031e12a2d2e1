import type { FeedCursor } from '../../protocol/messages.ts';
import { encodeImages } from '../../protocol/items.ts';
import { compareVersions } from '../../protocol/version.ts';
import { belongsTo } from '../answers/merge-units.ts';
import { noteScope } from '../answers/note-scope.ts';
import { Parking } from '../answers/parking.ts';
import { mergeFreed } from '../answers/release.ts';
import { Settlement } from '../answers/settle.ts';
import type { DownloadReceipt } from '../engine.ts';
import type { EngineContext } from '../engine-context.ts';
import { PAGE_ROWS } from '../store/pages.ts';
import { splitKey, type Key } from '../store/record-key.ts';
import { versionOf, type HeldImage } from '../store/rows.ts';
import { Step } from '../store/step.ts';
import { orderedKey, STATE, type StagedDownload } from '../store/stored.ts';
import type { BulkDownload } from './bulk.ts';
import { readDecided, staysOutside, type Decided } from './decide-download.ts';
import { decide } from './page-plan.ts';
import { readImages, type AnswerImages } from './server-link.ts';
import { dropParts } from './stage-part.ts';
import { readStaged, storedRange, type IdRange, type StagedPage } from './staged-pages.ts';

/** Goes on at the opening of a store with what {@link applyDownload} was in the middle of. */
export async function finishDownload(context: EngineContext): Promise<void> {
  const { records, bytes } = context.store.meta.download!;
  context.showProgress({ stage: 'applying', records, bytes });
  try {
    await applyDownload(context, await loadBulk(context));
  } finally {
    context.showProgress(null);
  }
}

/**
 * Applies a download that was decided on, page by page, each in a commit of its own, so that no more than one is in memory. Nobody reads in
 * between: it is one step, of which nobody is told before its end, and the next opening goes on with it before anything is read.
 */
export async function applyDownload(context: EngineContext, openBulk: OpenBulk | null): Promise<DownloadReceipt> {
  const { store, schema, emit } = context;
  const { pages, objects, applying } = store.meta.download!;
  const decided = await readDecided(context);
  const work = new Application(context, decided, openBulk && openBulk(decided.headers.keys()));
  for (let place = applying!.place; place < pages; place++) await work.applyPage(place);
  const unseen = Object.keys(schema.objects).filter((object) => !objects.includes(object));
  const { records, bytes } = store.meta.download!;
  const removed = await work.end(unseen.map((object) => ({ object, after: null, upTo: null })));
  emit({ type: 'download:applied', records, removed });
  return { records, removed, bytes };
}

/** Opens the way for what is plain of a download, given the records of groups that take nothing now. */
export type OpenBulk = (busy: Iterable<Key>) => BulkDownload;

/**
 * Loads what merges pages as a whole: before the step, where that can be. `null` where the storage gives and takes single rows, and where the
 * file is not to be had, as offline: then it goes row by row.
 */
export async function loadBulk(context: EngineContext): Promise<OpenBulk | null> {
  const { store, parts, random, core } = context;
  const part = store.packed === undefined ? null : await parts.bulk().catch(() => null);
  if (part === null) return null;
  const batch = await part.loadBatchCore({ random, ...(core.build === 'twin' && { build: core.build }) });
  return (busy) => part.openBulkDownload(context, batch, busy);
}

/** What a page changes, and how many records leave with it. */
interface TakenPage {
  readonly step: Step;
  readonly removed: number;
}

/** A download while it is applied. */
class Application {
  readonly #context: EngineContext;
  readonly #decided: Decided;
  /** Takes what is plain of a page without looking at its records one by one; `null` where the storage does not give and take rows packed. */
  readonly #bulk: BulkDownload | null;

  constructor(context: EngineContext, decided: Decided, bulk: BulkDownload | null) {
    this.#context = context;
    this.#decided = decided;
    this.#bulk = bulk;
  }

  get #download(): StagedDownload {
    return this.#context.store.meta.download!;
  }

  /** Merges a page, or keeps aside what of it is in the way, and lets go of what it should have and does not. */
  async applyPage(place: number): Promise<void> {
    const page = (await readStaged(this.#context.store, place))!;
    const { step, removed } = (await this.#takePacked(page)) ?? (await this.#takeRows(page));
    step.removeState.push(orderedKey(STATE.stage, place));
    await this.#commit(step, place + 1, removed);
  }

  /** Takes a page in as it is; what of it is not plain, record by record. `null` for a page of which that cannot be said at once. */
  async #takePacked(page: StagedPage): Promise<TakenPage | null> {
    const bulk = page.ranges.length === 0 ? null : this.#bulk;
    const merged = bulk && (await bulk.merge(page));
    if (merged === null) return null;
    const leaving = await this.#hide(merged.absent.filter((key) => this.#leaves(key)));
    const { step } = await this.#takeRows({ ...page, items: encodeImages(merged.care), ranges: [] });
    step.putPacked.push(...merged.put);
    step.putState.push(...merged.putState);
    for (const layout of merged.layouts) step.layouts.set(layout.hash, layout);
    for (const [key, image] of leaving) step.putBase(key, image);
    return { step, removed: leaving.size };
  }

  async #takeRows(page: StagedPage): Promise<TakenPage> {
    const { store, rules, core } = this.#context;
    const images = readImages(core, page);
    const { bases, leaving } = await this.#readAround(page, images);
    const settlement = new Settlement(store, rules, bases);
    this.#takePage(settlement, page, images, bases);
    for (const [key, image] of leaving) settlement.step.putBase(key, image);
    return { step: settlement.step, removed: leaving.size };
  }

  /**
   * Ends the download. It is one consistent state: of what was kept aside before, only groups that still take nothing go on waiting (rule
   * A35).
   *
   * @param ranges - what no page told of
   * @returns how many records left
   */
  async end(ranges: readonly IdRange[]): Promise<number> {
    const { store, rules, emit } = this.#context;
    const { headers, unmarked } = this.#decided;
    const settlement = new Settlement(store, rules, new Map());
    const { step } = settlement;
    for (const [key, image] of await this.#readRanges(ranges, new Set(), () => {})) step.putBase(key, image);
    const { serverTime, applying } = this.#download;
    const removed = applying!.removed + step.bases.size;
    for (const key of unmarked) step.outside.set(key, null);
    await this.#learnAside(settlement);
    this.#parkAnew(settlement, [...headers.keys()].filter((key) => store.side(key) !== null));
    step.removeState.push(STATE.decided);
    for await (const { key } of store.scanState(STATE.fresh)) step.removeState.push(key);
    dropParts(this.#context, step);
    step.meta = { ...step.meta, download: null, cursor: this.#feedPlaceAfter(), hasFeedGap: false, lastDownloadAt: serverTime };
    const events = await mergeFreed(this.#context, settlement);
    await store.commit(step, 'strict');
    events.forEach(emit);
    return removed;
  }

  /** Where the feed goes on. Of records out of scope, which the pages do not have, only the feed tells what became of them: none of it is skipped that is there. */
  #feedPlaceAfter(): FeedCursor {
    const { outside, meta: { cursor: before } } = this.#context.store;
    const { cursor } = this.#download;
    const isOfOne = before !== null && before.feed === cursor.feed && before.epoch === cursor.epoch;
    const unmarked = new Set(this.#decided.unmarked);
    const staysAny = [...outside.keys()].some((key) => !unmarked.has(key));
    return staysAny && isOfOne && before.position < cursor.position ? before : cursor;
  }

  #takePage(settlement: Settlement, page: StagedPage, images: AnswerImages, bases: ReadonlyMap<Key, HeldImage>): void {
    const { headers, flags } = this.#decided;
    const attention = images.keys.flatMap((key) => {
      const inTheWay = flags.get(headers.get(key) ?? '') ?? 0;
      return inTheWay === 0 ? [] : [{ ...splitKey(key), flags: inTheWay }];
    });
    const parking = new Parking(this.#context, settlement), outside = new Set(page.outside);
    decide(this.#context, images, bases, { attention, replace: 'newer-or-equal' }).forEach((verdict, index) => {
      const key = images.keys[index]!;
      if (verdict === 'stale' || verdict === 'superseded') return;
      const image = images.image(index);
      if (verdict === 'merge') settlement.step.putBase(key, image);
      else if (verdict === 'discard' || verdict === 'wait') parking.keepAside(key, image);
      noteScope(settlement, key, image, outside.has(index) ? page.time : null);
    });
  }

  /** What is held of the records of a page, and what becomes of those that it should have and does not. */
  async #readAround({ ranges }: StagedPage, { keys }: AnswerImages): Promise<{ readonly bases: ReadonlyMap<Key, HeldImage>; readonly leaving: ReadonlyMap<Key, HeldImage> }> {
    const { store } = this.#context;
    if (ranges.length === 0) return { bases: await store.readBases(keys), leaving: new Map() };
    const bases = new Map<Key, HeldImage>(), arrived = new Set(keys);
    const leaving = await this.#readRanges(ranges, arrived, (key, base) => bases.set(key, base));
    for (const key of keys) {
      const tombstone = bases.has(key) ? undefined : store.tombstone(key);
      if (tombstone !== undefined) bases.set(key, tombstone);
    }
    return { bases, leaving };
  }

  /** Reads the rows of ranges: what is on a page is handed on, the others leave. */
  async #readRanges(ranges: readonly IdRange[], arrived: ReadonlySet<Key>, take: (key: Key, base: HeldImage) => void): Promise<ReadonlyMap<Key, HeldImage>> {
    let leaving = new Map<Key, HeldImage>();
    for (const range of ranges) {
      const rows = storedRange(range);
      reading: for await (const page of this.#context.store.scanBases(range.object, rows.after)) {
        for (const [key, base] of page) {
          const { id } = splitKey(key);
          if (rows.isPast(id)) break reading;
          if (arrived.has(key)) take(key, base);
          else if (rows.has(id) && this.#leaves(key)) leaving.set(key, hidden(base));
        }
        leaving = await this.#removeMany(leaving);
      }
    }
    return leaving;
  }

  /** What records become that are there no longer. */
  async #hide(keys: readonly Key[]): Promise<ReadonlyMap<Key, HeldImage>> {
    let leaving = new Map<Key, HeldImage>();
    for (let from = 0; from < keys.length; from += PAGE_ROWS) {
      for (const [key, base] of await this.#context.store.readBases(keys.slice(from, from + PAGE_ROWS))) leaving.set(key, hidden(base));
      leaving = await this.#removeMany(leaving);
    }
    return leaving;
  }

  /** Has records leave in a step of their own when there are many, and not all in one. */
  async #removeMany(leaving: Map<Key, HeldImage>): Promise<Map<Key, HeldImage>> {
    if (leaving.size < PAGE_ROWS) return leaving;
    const step = new Step();
    for (const [key, image] of leaving) step.putBase(key, image);
    await this.#commit(step, this.#download.applying!.place, leaving.size);
    return new Map();
  }

  /** Whether a record leaves that a page should have and does not. What an app of another build has brought stays. */
  #leaves(key: Key): boolean {
    if (this.#context.schema.objects[splitKey(key).object] === undefined) return false;
    return !this.#decided.asked.has(key) && !staysOutside(this.#context, this.#decided, key, this.#download.serverTime);
  }

  /** Reads what the pages have made of records of which something is kept aside. */
  async #learnAside(settlement: Settlement): Promise<void> {
    const { store } = this.#context;
    const aside = [...store.parked.values()].flatMap(({ members }) => [...members.keys()].filter((key) => store.side(key) !== null));
    settlement.learn(await store.readBases(aside));
  }

  /** What is kept aside of groups that take nothing now goes on waiting; all else that was kept aside the download has, or it is gone. */
  #parkAnew(settlement: Settlement, kept: readonly Key[]): void {
    const { store } = this.#context;
    const { headers, waiting } = this.#decided;
    for (const [name, { members }] of store.parked) {
      // A page may be of long ago: what came in since of a record that it has is the newer of the two.
      const isNewer = ([key]: readonly [Key, unknown]): boolean => !headers.has(key) && settlement.base(key)?.state === 'live' && compareVersions(versionOf(store.side(key)), versionOf(settlement.base(key))) > 0;
      if (waiting.has(name) || [...members].some(isNewer)) {
        settlement.freed.add(name);
        continue;
      }
      settlement.step.parked.set(name, null);
      for (const key of members.keys()) if (!headers.has(key) && store.side(key) !== null) settlement.step.sides.set(key, null);
    }
    const parking = new Parking(this.#context, settlement);
    const groups = new Map<Key, Key[]>();
    for (const key of kept) {
      const header = headers.get(key)!;
      groups.set(header, [...(groups.get(header) ?? []), key]);
    }
    for (const [header, arrived] of groups) {
      const waits = parking.of(header).filter((group) => belongsTo(group, header));
      const members = new Map(waits.flatMap((group) => [...group.members]));
      parking.park({ headers: [...new Set([header, ...waits.flatMap((group) => group.headers)])].sort(), members, arrived });
    }
  }

  /** The last commit alone makes it durable: what the disk loses of these is applied again. */
  async #commit(step: Step, place: number, removed: number): Promise<void> {
    const { applying } = this.#download;
    step.meta = { download: { ...this.#download, applying: { place, removed: applying!.removed + removed } } };
    step.isUntold = true;
    await this.#context.store.commit(step, 'relaxed');
  }
}

/** The server has said nothing of its present version: when the user may see it again, it comes as it was, with the rest of its group. */
function hidden(base: HeldImage): HeldImage {
  return { ...base, state: 'hidden', row: null };
}
