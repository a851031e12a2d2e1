import { decodeEnvelope, encodeEnvelope } from '../../protocol/envelope.ts';
import type { SnapshotAnswer, WireLayout } from '../../protocol/messages.ts';
import type { StateRow } from '../../storage/storage-adapter.ts';
import type { NetworkContext } from '../engine-context.ts';
import type { DownloadReceipt } from '../engine.ts';
import { noteScope } from '../answers/note-scope.ts';
import { Parking } from '../answers/parking.ts';
import { mergeFreed } from '../answers/release.ts';
import { planSnapshot } from './page-plan.ts';
import { dropParts } from './stage-part.ts';
import { findProtected, type ProtectedGroups } from './protected-groups.ts';
import { splitKey, type Key } from '../store/record-key.ts';
import type { HeldImage } from '../store/rows.ts';
import { badAnswer } from './server-link.ts';
import { Settlement } from '../answers/settle.ts';
import { Step } from '../store/step.ts';
import { orderedKey, STATE, type StagedDownload } from '../store/stored.ts';

/** A download that was interrupted goes on within this time; later it begins anew. */
const RESUME_WITHIN_MS = 12 * 3_600_000;

interface StagedPage {
  readonly layouts: readonly WireLayout[];
  readonly items: Uint8Array;
  /** What is out of scope of it: a download has nothing of that, a record that was asked for by itself may have (rule A32). */
  readonly outside: readonly number[];
  /** Server time at which it came. */
  readonly time: number;
}

/** What the pages of a download lead to, as far as they are applied. */
interface Applying {
  readonly settlement: Settlement;
  readonly closed: ProtectedGroups;
  readonly downloaded: Set<Key>;
  /** Records of which an image is kept aside. */
  readonly kept: Set<Key>;
}

/**
 * Brings a new or long-absent device everything that its user may see: key-ordered pages, staged in storage, applied in one commit. A
 * kill at any moment leaves the old consistent state; the next call goes on where the last one stopped.
 */
export class SnapshotDownload {
  readonly #context: NetworkContext;

  constructor(context: NetworkContext) {
    this.#context = context;
  }

  /** @param upload - sends what waits: once what comes in is noted, so that what it brings is not taken for something that is gone */
  async run(upload: () => Promise<void>): Promise<DownloadReceipt> {
    try {
      return await this.#run(upload);
    } finally {
      this.#context.store.notesFresh = false;
    }
  }

  async #run(upload: () => Promise<void>): Promise<DownloadReceipt> {
    const { steps, store, answers, emit, showProgress } = this.#context;
    const resumed = await steps.run(() => this.#begin());
    await upload();
    emit({ type: 'download:started', isResumed: resumed });
    let staged = store.meta.download;
    while (staged === null || staged.next !== null) {
      showProgress({ stage: 'downloading', records: staged?.records ?? 0, bytes: staged?.bytes ?? 0 });
      await this.#stageNext(staged);
      staged = store.meta.download;
    }
    showProgress({ stage: 'applying', records: staged.records, bytes: staged.bytes });
    const receipt = await answers.alone(() => this.#finish());
    emit({ type: 'download:applied', records: receipt.records, removed: receipt.removed });
    return receipt;
  }

  /** Keeps a staged download that can go on, and drops one that cannot. */
  async #begin(): Promise<boolean> {
    const { store, clock, schema } = this.#context;
    const staged = store.meta.download;
    const age = staged === null ? -1 : clock.now() - staged.startedAt;
    if (age >= 0 && age < RESUME_WITHIN_MS && staged?.schema === schema.hash) return true;
    await this.#drop();
    // From now on, not from the first page on: what comes in while that is under way may be newer than the page.
    store.notesFresh = true;
    return false;
  }

  async #drop(): Promise<void> {
    const step = new Step();
    await this.#clearStage(step);
    step.meta = { download: null };
    await this.#context.store.commit(step, 'relaxed');
  }

  async #stageNext(staged: StagedDownload | null): Promise<void> {
    const { store, link, steps, clock, schema } = this.#context;
    const page = await link.snapshot(store.meta.store, staged?.next ?? null);
    const images = link.images(page);
    checkPage(page, staged, images.keys.length);
    if (staged !== null && page.server.epoch !== staged.cursor.epoch) {
      // The server was restored from a backup: pages of two histories must not be mixed.
      return steps.run(() => this.#drop());
    }
    await steps.run(async () => {
      const step = new Step();
      const pages = staged?.pages ?? 0;
      step.putState.push(stagedPage(pages, { ...page, outside: [], time: page.server.time }));
      step.meta = {
        download: {
          startedAt: staged?.startedAt ?? clock.now(),
          schema: schema.hash,
          // Of the first page: whatever is saved from that moment on comes through the feed.
          cursor: staged?.cursor ?? page.cursor,
          pages: pages + 1,
          records: (staged?.records ?? 0) + images.keys.length,
          bytes: (staged?.bytes ?? 0) + page.items.length,
          serverTime: page.server.time,
          next: page.next,
        },
      };
      await store.commit(step, 'relaxed');
    });
  }

  /**
   * Applies the pages. A record that is not on them is gone, unless the device heard of it otherwise since the download began: then only
   * the server can tell which of the two is newer, and is asked, with no other answer under way.
   */
  async #finish(): Promise<DownloadReceipt> {
    const asked = new Set<Key>();
    for (;;) {
      const outcome = await this.#context.steps.run(() => this.#apply(asked));
      if ('receipt' in outcome) return outcome.receipt;
      for (const key of outcome.unclear) {
        await this.#ask(key);
        asked.add(key);
      }
    }
  }

  /** Stages what the server says of one record. */
  async #ask(key: Key): Promise<void> {
    const { store, link, steps } = this.#context;
    const { layouts, items, outside, server: { time } } = await link.record(store.meta.store, splitKey(key));
    await steps.run(async () => {
      const step = new Step();
      const download = store.meta.download!;
      step.putState.push(stagedPage(download.pages, { layouts, items, outside, time }));
      step.meta = { download: { ...download, pages: download.pages + 1 } };
      await store.commit(step, 'relaxed');
    });
  }

  async #apply(asked: ReadonlySet<Key>): Promise<{ readonly receipt: DownloadReceipt } | { readonly unclear: readonly Key[] }> {
    const { store, rules, emit } = this.#context;
    const { cursor, records, bytes, serverTime } = store.meta.download!;
    const settlement = new Settlement(store, rules, new Map());
    const downloaded = new Set<Key>(asked);
    const closed = await findProtected(this.#context, () => this.#stagedImages());
    const kept = new Set<Key>();
    for await (const row of store.scanState(STATE.stage)) await this.#takePage(row.bytes, { settlement, closed, downloaded, kept });
    const unclear = await this.#findUnclear(closed, downloaded);
    if (unclear.length > 0) return { unclear };
    const stays = (key: Key): boolean => this.#staysOutside(key, closed, serverTime);
    const removed = await this.#removeAbsent(settlement, downloaded, stays);
    this.#park(settlement, closed, kept, (key) => !downloaded.has(key) && stays(key));
    await this.#clearStage(settlement.step);
    dropParts(this.#context, settlement.step);
    settlement.step.meta = { ...settlement.step.meta, download: null, cursor, hasFeedGap: false, lastDownloadAt: serverTime };
    const events = await mergeFreed(this.#context, settlement);
    await store.commit(settlement.step, 'strict');
    events.forEach(emit);
    return { receipt: { records, removed, bytes } };
  }

  async #takePage(bytes: Uint8Array, { settlement, closed, downloaded, kept }: Applying): Promise<void> {
    const page = readStaged(bytes), outside = new Set(page.outside);
    const { images, verdicts } = await planSnapshot(this.#context, page, closed.flagsAt);
    const parking = new Parking(this.#context, settlement);
    verdicts.forEach((verdict, index) => {
      const key = images.keys[index]!;
      downloaded.add(key);
      if (verdict === 'stale' || verdict === 'superseded') return;
      const image = images.image(index);
      if (verdict === 'merge') settlement.step.putBase(key, image);
      else if (verdict === 'discard' || verdict === 'wait') {
        parking.keepAside(key, image);
        kept.add(key);
      }
      noteScope(settlement, key, image, outside.has(index) ? page.time : null);
    });
  }

  async *#stagedImages(): AsyncGenerator<(readonly [Key, HeldImage])[]> {
    const { store, link } = this.#context;
    for await (const { bytes } of store.scanState(STATE.stage)) {
      const images = link.images(readStaged(bytes));
      yield images.keys.map((key, index) => [key, images.image(index)] as const);
    }
  }

  /** A download is one consistent state: of what was kept aside before, only groups that still take nothing go on waiting (rule A35). */
  #park(settlement: Settlement, closed: ProtectedGroups, kept: Set<Key>, stays: (key: Key) => boolean): void {
    const { step } = settlement;
    for (const [name, { members }] of this.#context.store.parked) {
      // What came out of scope is on no download: of its group the rest may still have to come.
      if ([...members.keys()].some((key) => closed.headerOf(key) === undefined && settlement.side(key) !== null && stays(key))) {
        settlement.freed.add(name);
        continue;
      }
      step.parked.set(name, null);
      for (const key of members.keys()) {
        if (settlement.side(key) === null) continue;
        if (closed.headerOf(key) === undefined) step.sides.set(key, null);
        else kept.add(key);
      }
    }
    const parking = new Parking(this.#context, settlement);
    const groups = new Map<Key, Key[]>();
    for (const key of kept) {
      const header = closed.headerOf(key)!;
      groups.set(header, [...(groups.get(header) ?? []), key]);
    }
    for (const [header, arrived] of groups) parking.park({ headers: [header], members: new Map(), arrived });
  }

  /** Records that are on no page, and that came in since the download began or have a change waiting. */
  async #findUnclear(closed: ProtectedGroups, downloaded: ReadonlySet<Key>): Promise<Key[]> {
    const { store } = this.#context;
    const unclear = new Set(closed.keys);
    for await (const { key } of store.scanState(STATE.fresh)) unclear.add(key.slice(STATE.fresh.length));
    const bases = await store.readBases(unclear);
    const isHere = (key: Key): boolean => bases.get(key)?.state === 'live' || store.side(key)?.state === 'live';
    // Of what came out of scope the server says nothing new.
    return [...unclear].filter((key) => isHere(key) && !downloaded.has(key) && !store.outside.has(key));
  }

  /** Rule A32: what came out of scope stays for a time, and as long as something waits, was refused or is open of it or its group. */
  #staysOutside(key: Key, closed: ProtectedGroups, now: number): boolean {
    const since = this.#context.store.outside.get(key);
    return since !== undefined && (closed.headerOf(key) !== undefined || now - since < this.#context.outOfScopeGraceMs);
  }

  /**
   * Records that the snapshot no longer holds leave. The server has said nothing of their present version: when the user may see them again,
   * they come as they were, with the rest of their group.
   */
  async #removeAbsent(settlement: Settlement, downloaded: ReadonlySet<Key>, stays: (key: Key) => boolean): Promise<number> {
    const { store, schema } = this.#context;
    const { step } = settlement;
    let removed = 0;
    for (const key of store.outside.keys()) if (!downloaded.has(key) && !stays(key)) step.outside.set(key, null);
    for (const object of Object.keys(schema.objects)) {
      for await (const page of store.scanBases(object)) {
        for (const [key, base] of page) {
          if (downloaded.has(key) || stays(key)) continue;
          step.putBase(key, { ...base, state: 'hidden', row: null });
          removed++;
        }
      }
    }
    return removed;
  }

  async #clearStage(step: Step): Promise<void> {
    const { store } = this.#context;
    for (const prefix of [STATE.stage, STATE.fresh]) for await (const { key } of store.scanState(prefix)) step.removeState.push(key);
  }
}

function stagedPage(place: number, { layouts, items, outside, time }: StagedPage): StateRow {
  return { key: orderedKey(STATE.stage, place), bytes: encodeEnvelope({ layouts, items, outside, time } satisfies StagedPage) };
}

function readStaged(bytes: Uint8Array): StagedPage {
  const { items, ...page } = decodeEnvelope(bytes) as StagedPage;
  return { ...page, items: new Uint8Array(items.buffer, items.byteOffset, items.byteLength) };
}

/** Pages must go forward, or a hostile or broken server could keep a device downloading for ever. */
function checkPage({ next, cursor, server }: SnapshotAnswer, staged: StagedDownload | null, count: number): void {
  if (cursor.position > server.head) throw badAnswer('its cursor lies beyond the feed');
  if (next === null) return;
  if (count === 0) throw badAnswer('a page that is not the last holds no record');
  const before = staged?.next ?? null;
  if (before !== null && before.object === next.object && before.id === next.id) throw badAnswer('its pages do not go forward');
}
