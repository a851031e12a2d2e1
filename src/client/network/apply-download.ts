import { decodeEnvelope, encodeEnvelope } from '../../protocol/envelope.ts';
import { belongsTo } from '../answers/merge-units.ts';
import { noteScope } from '../answers/note-scope.ts';
import { Parking } from '../answers/parking.ts';
import { mergeFreed } from '../answers/release.ts';
import { Settlement } from '../answers/settle.ts';
import type { DownloadReceipt } from '../engine.ts';
import type { EngineContext } from '../engine-context.ts';
import { PAGE_ROWS } from '../store/pages.ts';
import { splitKey, type Key } from '../store/record-key.ts';
import type { HeldImage } from '../store/rows.ts';
import { Step } from '../store/step.ts';
import { orderedKey, STATE, type StagedDownload } from '../store/stored.ts';
import { decide } from './page-plan.ts';
import { findProtected, type ProtectedGroups } from './protected-groups.ts';
import { readImages, type AnswerImages } from './server-link.ts';
import { dropParts } from './stage-part.ts';
import { readStaged, storedRange, type IdRange, type StagedPage } from './staged-pages.ts';

/** What is decided of a download before its first page is applied: all that hangs on more than one page. */
interface Decided extends ProtectedGroups {
  /** Records that the server was asked about, and those that it told of then: a page that lacks them does not say that they are gone. */
  readonly asked: ReadonlySet<Key>;
  /** Parked groups that go on waiting: of one with something that came out of scope the rest may still have to come. */
  readonly waiting: ReadonlySet<Key>;
  /** Records whose mark of being out of scope goes (rule A32). */
  readonly unmarked: readonly Key[];
}

/**
 * Decides what becomes of a download, all pages of which are staged, and writes that down: from then on it is applied, whatever happens.
 * A record that is not on them is gone, unless the device heard of it otherwise since the download began: then only the server can tell
 * which of the two is newer.
 *
 * @param asked - records that the server was asked about; what it said of them is staged
 * @returns the records that it is to be asked about first; nothing is written then
 */
export async function decideDownload(context: EngineContext, asked: ReadonlySet<Key>): Promise<readonly Key[]> {
  const { store } = context;
  const download = store.meta.download!;
  const groups = await findProtected(context, () => stagedImages(context));
  const doubtful = new Set(groups.headers.keys());
  for await (const { key } of store.scanState(STATE.fresh)) doubtful.add(key.slice(STATE.fresh.length));
  const told = new Set(asked), here = new Set<Key>();
  if (doubtful.size + asked.size + store.outside.size > 0) {
    for await (const { ranges, keys } of stagedKeys(context)) {
      for (const key of keys) {
        if (ranges.length === 0) told.add(key);
        if (doubtful.has(key) || store.outside.has(key)) here.add(key);
      }
    }
  }
  const isDownloaded = (key: Key): boolean => here.has(key) || told.has(key);
  const unclear = await findUnclear(context, [...doubtful].filter((key) => !isDownloaded(key) && !store.outside.has(key)));
  if (unclear.length > 0) return unclear;
  const stays = (key: Key): boolean => !isDownloaded(key) && staysOutside(context, groups, key, download.serverTime);
  const waiting = [...store.parked].flatMap(([name, { members }]) => ([...members.keys()].some((key) => !groups.headers.has(key) && store.side(key) !== null && stays(key)) ? [name] : []));
  const unmarked = [...store.outside.keys()].filter((key) => !isDownloaded(key) && !stays(key));
  const step = new Step();
  step.putState.push({ key: STATE.decided, bytes: encodeDecided({ ...groups, asked: told, waiting: new Set(waiting), unmarked }) });
  step.meta = { download: { ...download, applying: { place: 0, removed: 0 } } };
  step.isUntold = true;
  await store.commit(step, 'strict');
  return [];
}

/** Goes on at the opening of a store with what {@link applyDownload} was in the middle of. */
export async function finishDownload(context: EngineContext): Promise<void> {
  const { records, bytes } = context.store.meta.download!;
  context.showProgress({ stage: 'applying', records, bytes });
  try {
    await applyDownload(context);
  } finally {
    context.showProgress(null);
  }
}

/**
 * Applies a download that was decided on, page by page, each in a commit of its own, so that no more than one is in memory. Nobody reads in
 * between: it is one step, of which nobody is told before its end, and the next opening goes on with it before anything is read.
 */
export async function applyDownload(context: EngineContext): Promise<DownloadReceipt> {
  const { store, schema, emit } = context;
  const { pages, objects, applying } = store.meta.download!;
  const work = new Application(context, decodeDecided((await store.readState(STATE.decided))!));
  for (let place = applying!.place; place < pages; place++) await work.applyPage(place);
  const unseen = Object.keys(schema.objects).filter((object) => !objects.includes(object));
  const { records, bytes } = store.meta.download!;
  const removed = await work.end(unseen.map((object) => ({ object, after: null, upTo: null })));
  emit({ type: 'download:applied', records, removed });
  return { records, removed, bytes };
}

/** A download while it is applied. */
class Application {
  readonly #context: EngineContext;
  readonly #decided: Decided;

  constructor(context: EngineContext, decided: Decided) {
    this.#context = context;
    this.#decided = decided;
  }

  get #download(): StagedDownload {
    return this.#context.store.meta.download!;
  }

  /** Merges a page, or keeps aside what of it is in the way, and lets go of what it should have and does not. */
  async applyPage(place: number): Promise<void> {
    const { store, rules, core } = this.#context;
    const page = (await readStaged(store, place))!;
    const images = readImages(core, page);
    const { bases, leaving } = await this.#readAround(page, images);
    const settlement = new Settlement(store, rules, bases);
    this.#takePage(settlement, page, images, bases);
    for (const [key, image] of leaving) settlement.step.putBase(key, image);
    settlement.step.removeState.push(orderedKey(STATE.stage, place));
    await this.#commit(settlement.step, place + 1, leaving.size);
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
    const { cursor, serverTime, applying } = this.#download;
    const removed = applying!.removed + step.bases.size;
    for (const key of unmarked) step.outside.set(key, null);
    this.#parkAnew(settlement, [...headers.keys()].filter((key) => store.side(key) !== null));
    step.removeState.push(STATE.decided);
    for await (const { key } of store.scanState(STATE.fresh)) step.removeState.push(key);
    dropParts(this.#context, step);
    step.meta = { ...step.meta, download: null, cursor, hasFeedGap: false, lastDownloadAt: serverTime };
    const events = await mergeFreed(this.#context, settlement);
    await store.commit(step, 'strict');
    events.forEach(emit);
    return removed;
  }

  #takePage(settlement: Settlement, page: StagedPage, images: AnswerImages, bases: ReadonlyMap<Key, HeldImage>): void {
    const { headers, flags } = this.#decided;
    const attention = images.keys.flatMap((key) => {
      const inTheWay = flags.get(headers.get(key) ?? '') ?? 0;
      return inTheWay === 0 ? [] : [{ ...splitKey(key), flags: inTheWay }];
    });
    const parking = new Parking(this.#context, settlement), outside = new Set(page.outside);
    decide(this.#context, page, images, bases, { attention, replace: 'newer-or-equal' }).forEach((verdict, index) => {
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

  /**
   * Reads the rows of ranges. Of a record that is there no longer the server has said nothing of its present version: when the user may see
   * it again, it comes as it was, with the rest of its group. So many that a step should not have them leave at once.
   */
  async #readRanges(ranges: readonly IdRange[], arrived: ReadonlySet<Key>, take: (key: Key, base: HeldImage) => void): Promise<ReadonlyMap<Key, HeldImage>> {
    const { store, schema } = this.#context;
    let leaving = new Map<Key, HeldImage>();
    for (const range of ranges) {
      const rows = storedRange(range);
      reading: for await (const page of store.scanBases(range.object, rows.after)) {
        for (const [key, base] of page) {
          const { id } = splitKey(key);
          if (rows.isPast(id)) break reading;
          if (arrived.has(key)) take(key, base);
          else if (rows.has(id) && schema.objects[range.object] !== undefined && !this.#remains(key)) leaving.set(key, { ...base, state: 'hidden', row: null });
        }
        if (leaving.size < PAGE_ROWS) continue;
        const step = new Step();
        for (const [key, image] of leaving) step.putBase(key, image);
        await this.#commit(step, this.#download.applying!.place, leaving.size);
        leaving = new Map();
      }
    }
    return leaving;
  }

  #remains(key: Key): boolean {
    return this.#decided.asked.has(key) || staysOutside(this.#context, this.#decided, key, this.#download.serverTime);
  }

  /** What is kept aside of groups that take nothing now goes on waiting; all else that was kept aside the download has, or it is gone. */
  #parkAnew(settlement: Settlement, kept: readonly Key[]): void {
    const { store } = this.#context;
    const { headers, waiting } = this.#decided;
    for (const [name, { members }] of store.parked) {
      if (waiting.has(name)) {
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

/** Rule A32: what came out of scope stays for a time, and as long as something waits, was refused or is open of it or its group. */
function staysOutside({ store, outOfScopeGraceMs }: EngineContext, { headers }: ProtectedGroups, key: Key, now: number): boolean {
  const since = store.outside.get(key);
  return since !== undefined && (headers.has(key) || now - since < outOfScopeGraceMs);
}

/** Of records that are on no page, those that are here. */
async function findUnclear({ store }: EngineContext, keys: readonly Key[]): Promise<Key[]> {
  const bases = await store.readBases(keys);
  return keys.filter((key) => bases.get(key)?.state === 'live' || store.side(key)?.state === 'live');
}

async function* stagedKeys({ store, core }: EngineContext): AsyncGenerator<AnswerImages & Pick<StagedPage, 'ranges'>> {
  for (let place = 0; place < store.meta.download!.pages; place++) {
    const page = (await readStaged(store, place))!;
    yield { ...readImages(core, page), ranges: page.ranges };
  }
}

async function* stagedImages(context: EngineContext): AsyncGenerator<(readonly [Key, HeldImage])[]> {
  for await (const { keys, image } of stagedKeys(context)) yield keys.map((key, index) => [key, image(index)] as const);
}

/** Maps are no values of an envelope. */
function encodeDecided({ headers, flags, asked, waiting, unmarked }: Decided): Uint8Array {
  return encodeEnvelope({ headers: [...headers], flags: [...flags], asked: [...asked], waiting: [...waiting], unmarked });
}

function decodeDecided(bytes: Uint8Array): Decided {
  const { headers, flags, asked, waiting, unmarked } = decodeEnvelope(bytes) as Record<'asked' | 'waiting' | 'unmarked', readonly Key[]> & { readonly headers: readonly (readonly [Key, Key])[]; readonly flags: readonly (readonly [Key, number])[] };
  return { headers: new Map(headers), flags: new Map(flags), asked: new Set(asked), waiting: new Set(waiting), unmarked };
}
