import { decodeEnvelope } from '../../protocol/envelope.ts';
import { layoutsOf, type Layout } from '../../protocol/layout.ts';
import { mapRow } from '../../protocol/row.ts';
import { bytesEqual } from '../../shared/bytes.ts';
import { SyncFault } from '../../shared/fault.ts';
import type { PackedStorage, RecordRow, StateRow, Storage } from '../../storage/storage-adapter.ts';
import type { Notice } from '../answers/notices.ts';
import { DraftKeys } from '../drafts/draft-keys.ts';
import { keysOf, laneKeysOf, type QueueEntry } from '../queue/queue-entry.ts';
import { ChangedSince } from './changed-records.ts';
import { EntryIndex } from './entry-index.ts';
import { InUse } from './in-use.ts';
import { decodeParked, namesIn, ParkedGroups, type ParkedGroup } from './parked.ts';
import { keyOf, splitKey, type Key } from './record-key.ts';
import { readOnly } from '../read-only.ts';
import type { HeldImage } from './rows.ts';
import type { LocalStoreOptions } from './local-store-options.ts';
import { PAGE_ROWS, pages } from './pages.ts';
import { findRecordId } from './record-id.ts';
import { setOrDelete } from './set-or-delete.ts';
import { noteFresh, type Step } from './step.ts';
import { createMeta, readMeta, readState, takenOver, takeOver } from './store-fence.ts';
import { decodeEntry, decodeImage, decodeLayout, STATE, type Meta } from './stored.ts';

/**
 * The device's data: base rows in storage; queue, side images and tombstones in memory as well, because every view needs them. What
 * is in memory changes only after its commit is durable.
 */
export class LocalStore {
  /** The mark that makes this client the store's holder. */
  readonly fence: Uint8Array;
  /** Rule A10: the store is read and left as it is. */
  readonly isReadOnly: boolean;
  /** Rows as row blocks, where the storage can give and take them so. */
  readonly packed: PackedStorage | undefined;
  readonly #storage: Storage;
  readonly #options: LocalStoreOptions;
  readonly #schemaLayouts: ReadonlyMap<string, Layout>;
  readonly #layouts = new Map<string, Layout>();
  readonly #entries = new Map<number, QueueEntry>();
  readonly #entriesByRecord = new EntryIndex();
  readonly #entriesByLane = new EntryIndex();
  readonly #sides = new Map<Key, HeldImage>();
  readonly #gone = new Map<Key, HeldImage>();
  readonly #parked = new ParkedGroups();
  readonly #notices = new Map<number, Notice>();
  /** Records in drafts. */
  readonly drafts: DraftKeys = new DraftKeys();
  /** Records that somebody has open (rule A36). */
  readonly inUse: InUse = new InUse();
  /** Records that came out of scope, each with the server time of the answer that last brought it (rule A32). */
  readonly outside: Map<Key, number> = new Map();
  /** Notes which records come in, as is done anyway while pages are staged: a download has begun, and has no page yet. */
  notesFresh = false;
  readonly #changed: ChangedSince;
  #failed = 0;
  #meta: Meta;
  #isOwner = true;

  private constructor(storage: Storage, options: LocalStoreOptions, meta: Meta, fence: Uint8Array) {
    this.#storage = storage;
    this.packed = storage.packed;
    this.#options = options;
    this.#schemaLayouts = layoutsOf(options.schema);
    this.#changed = new ChangedSince(options.onCommitted);
    this.#meta = meta;
    this.fence = fence;
    this.isReadOnly = options.isReadOnly === true;
  }

  /** Opens the owner's store and takes it over from any earlier holder. */
  static async open(options: LocalStoreOptions): Promise<LocalStore> {
    const storage = await options.storage.open(options.owner);
    try {
      // A store of a newer build is left to it.
      const held = await readMeta(storage);
      // First the fence, then the reading: until it is taken, an earlier holder may still write, and its save would be overwritten.
      const fence = options.isReadOnly === true ? new Uint8Array() : await takeOver(storage, options);
      const meta = options.isReadOnly === true ? held : await readMeta(storage);
      const store = new LocalStore(storage, options, meta ?? createMeta(options), fence);
      await store.#load();
      return store;
    } catch (fault) {
      await storage.close();
      throw fault;
    }
  }

  get meta(): Meta {
    return this.#meta;
  }

  /** Entries in the order of saves. */
  get entries(): Iterable<QueueEntry> {
    return this.#entries.values();
  }

  /** Entries that wait, are under way, or were refused. */
  get counts(): { readonly pending: number; readonly failed: number } {
    return { pending: this.#entries.size - this.#failed, failed: this.#failed };
  }

  entry(seq: number): QueueEntry | undefined {
    return this.#entries.get(seq);
  }

  /** Entries that change a record, in the order of saves. */
  entriesOf(key: Key): readonly QueueEntry[] {
    return this.#entriesByRecord.of(key);
  }

  /** Entries that change a record, or something of the group that it leads, in the order of saves. */
  entriesAround(key: Key): readonly QueueEntry[] {
    return this.#entriesByLane.of(key);
  }

  /** Whether a change of a record, or of the group that it leads, waits or was refused (rule A39). */
  isBusy(key: Key): boolean {
    return this.entriesAround(key).length > 0;
  }

  /** Notices in the order in which they were raised. */
  get notices(): ReadonlyMap<number, Notice> {
    return this.#notices;
  }

  /** Whether somebody has the record open (rules A12, A36). */
  isInUse(key: Key): boolean {
    return this.#options.rules.isInUse(this.drafts.byRecord, key, this.inUse);
  }

  /** What is kept aside, group by group. */
  get parked(): ReadonlyMap<Key, ParkedGroup> {
    return this.#parked.all;
  }

  /** The parked groups of which a record is the header or a member, or that wait for it. */
  parkedOf(key: Key): readonly ParkedGroup[] {
    return this.#parked.touching(key);
  }

  side(key: Key): HeldImage | null {
    return this.#sides.get(key) ?? null;
  }

  /** Records with a pending or refused change. */
  get busyKeys(): Iterable<Key> {
    return this.#entriesByRecord.keys;
  }

  /** The layout in which this build of the app sees an object. @throws {@link SyncFault} `OBJECT_UNKNOWN` */
  layout(object: string): Layout {
    const layout = this.#schemaLayouts.get(object);
    if (layout === undefined) throw new SyncFault('OBJECT_UNKNOWN', `the schema has no object ${object}`, { details: { object } });
    return layout;
  }

  /** What is held of records: live rows and tombstones. */
  async readBases(keys: Iterable<Key>): Promise<ReadonlyMap<Key, HeldImage>> {
    const wanted = [...new Set(keys)];
    const rows = await this.#storage.readRecords(wanted.map(splitKey));
    return this.#decoded(() => {
      const bases = new Map<Key, HeldImage>();
      wanted.forEach((key, index) => {
        const bytes = rows[index];
        const base = bytes === undefined ? this.#gone.get(key) : decodeImage(bytes, this.layoutOf);
        if (base !== undefined) bases.set(key, base);
      });
      return bases;
    });
  }

  /** What is held of one record: a live row or a tombstone. */
  async readBase(key: Key): Promise<HeldImage | null> {
    const [bytes] = await this.#storage.readRecords([splitKey(key)]);
    return bytes === undefined ? (this.#gone.get(key) ?? null) : this.#decoded(() => decodeImage(bytes, this.layoutOf));
  }

  /** What is held of a record that is gone. */
  readonly tombstone = (key: Key): HeldImage | undefined => this.#gone.get(key);

  /** Records of which more is held than a live base, or something else: tombstones, images kept aside, marks of scope. */
  *keysApart(): Iterable<Key> {
    for (const keys of [this.#gone, this.#sides, this.outside]) yield* keys.keys();
  }

  /** An object's live bases in id order, page by page. @param from - begins behind this id */
  async *scanBases(object: string, from?: string): AsyncGenerator<(readonly [Key, HeldImage])[]> {
    for await (const rows of pages((last?: RecordRow) => this.#storage.scanRecords({ object, limit: PAGE_ROWS, ...((last ?? from) !== undefined && { after: last?.id ?? from! }) }))) {
      yield await this.#decoded(() => rows.map(({ id, bytes }) => [keyOf(object, id), decodeImage(bytes, this.layoutOf)] as const));
    }
  }

  /** What cannot be read may have been written by the client that has taken the store over, with a layout that came to it later. */
  async #decoded<T>(decode: () => T): Promise<T> {
    try {
      return decode();
    } catch (fault) {
      const fence = await readState(this.#storage, STATE.fence);
      this.#isOwner &&= this.isReadOnly || (fence !== null && bytesEqual(fence, this.fence));
      throw this.#isOwner ? fault : takenOver();
    }
  }

  /** State rows of a prefix, read page by page. */
  async *scanState(prefix: string): AsyncGenerator<StateRow> {
    for await (const rows of pages((last?: StateRow) => this.#storage.scanState({ prefix, limit: PAGE_ROWS, ...(last && { after: last.key }) }))) yield* rows;
  }

  /** One state row; `null` when there is none. */
  readState(key: string): Promise<Uint8Array | null> {
    return readState(this.#storage, key);
  }

  /** Finds the id at birth that belongs to a Record ID of the server (rule C1). */
  async findByRecordId(object: string, recordId: string): Promise<string | null> {
    const bytes = await this.readState(STATE.recordId + keyOf(object, recordId));
    return bytes && new TextDecoder().decode(bytes);
  }

  /** An image's row in the layout of this build; `null` unless it is live. */
  rowOf(image: HeldImage | null, object: string): Uint8Array | null {
    const row = image?.row ?? null;
    return row === null ? null : mapRow(image!.layout, this.layout(object), row);
  }

  /** Writes a step in one commit and takes it over. @throws {@link SyncFault} storage faults, `CLIENT_TAKEN_OVER`, `CLIENT_READ_ONLY` */
  async commit(step: Step, durability: 'strict' | 'relaxed'): Promise<void> {
    if (this.isReadOnly) throw readOnly();
    if (this.#meta.download !== null || this.notesFresh) noteFresh(step);
    const rows = step.rows({ meta: this.#meta, layouts: this.#layouts, isGone: (key) => this.#gone.has(key), outside: this.outside, recordIdOf: (key, image) => findRecordId(this.#options.schema, key, image) });
    const whole = { ...rows, expect: [{ key: STATE.fence, bytes: this.fence }], durability };
    for (const part of this.#options.rules.commitsOf(whole)) this.#isOwner = this.#isOwner && (await this.#storage.commit(part)) === 'done';
    if (!this.#isOwner) throw takenOver();
    this.#changed.note(this.#takeOver(step), step.putPacked, step.isUntold);
  }

  async close(): Promise<void> {
    await this.#storage.close();
  }

  /** A layout by its hash: those of every stored row are known. */
  readonly layoutOf = (hash: string): Layout => {
    const layout = this.#layouts.get(hash);
    if (layout === undefined) throw new SyncFault('STORAGE_CORRUPT', `the store does not hold layout ${hash}`, { details: { layout: hash } });
    return layout;
  };

  /** Takes a written step over into memory; answers which records it changed. */
  #takeOver(step: Step): Set<Key> {
    this.#meta = { ...this.#meta, ...step.meta };
    for (const [hash, layout] of step.layouts) this.#layouts.set(hash, layout);
    for (const [key, image] of step.bases) setOrDelete(this.#gone, key, image.state === 'live' ? null : image);
    for (const [key, image] of step.sides) setOrDelete(this.#sides, key, image);
    if (this.inUse.asideChanged !== null) for (const key of [...step.sides.keys(), ...[...step.parked].flatMap((change) => namesIn(this.parked, change))]) this.inUse.asideChanged.add(key);
    for (const [name, group] of step.parked) this.#parked.put(name, group);
    for (const [key, since] of step.outside) setOrDelete(this.outside, key, since);
    for (const [id, notice] of step.notices) setOrDelete(this.#notices, id, notice);
    for (const { key } of step.putState) this.drafts.put(key);
    for (const key of step.removeState) this.drafts.remove(key);
    const changed = new Set(step.bases.keys());
    for (const [seq, entry] of step.entries) for (const key of this.#putEntry(seq, entry)) changed.add(key);
    return changed;
  }

  /** Puts an entry, or takes it out; answers which records it changes. */
  #putEntry(seq: number, entry: QueueEntry | null): Iterable<Key> {
    const before = this.#entries.get(seq);
    const was = before === undefined ? [] : keysOf(before), now = entry === null ? [] : keysOf(entry);
    const lanes = (one: QueueEntry | null | undefined, keys: readonly Key[]): readonly Key[] => (one?.headers.length ? laneKeysOf(one) : keys);
    this.#entriesByLane.put(seq, entry, lanes(before, was), lanes(entry, now));
    const keys = this.#entriesByRecord.put(seq, entry, was, now);
    this.#failed += Number(entry?.state === 'failed') - Number(before?.state === 'failed');
    // New entries have the highest seq and Maps keep their order, so the map stays in the order of saves.
    setOrDelete(this.#entries, seq, entry);
    return keys;
  }

  async #load(): Promise<void> {
    for await (const { bytes } of this.scanState(STATE.layout)) {
      const layout = decodeLayout(bytes);
      this.#layouts.set(layout.hash, layout);
    }
    for await (const { bytes } of this.scanState(STATE.queue)) {
      const entry = decodeEntry(bytes, this.layoutOf);
      this.#putEntry(entry.seq, entry);
    }
    for await (const { key } of this.scanState(STATE.draft)) this.drafts.put(key);
    for await (const { key, bytes } of this.scanState(STATE.outside)) this.outside.set(key.slice(STATE.outside.length), Number(new TextDecoder().decode(bytes)));
    for await (const { key, bytes } of this.scanState(STATE.parked)) this.#parked.put(key.slice(STATE.parked.length), decodeParked(bytes));
    for await (const { bytes } of this.scanState(STATE.notice)) {
      const notice = decodeEnvelope(bytes) as Notice;
      this.#notices.set(notice.id, notice);
    }
    for (const [prefix, images] of [[STATE.side, this.#sides], [STATE.gone, this.#gone]] as const) {
      for await (const { key, bytes } of this.scanState(prefix)) images.set(key.slice(prefix.length), decodeImage(bytes, this.layoutOf));
    }
    this.#parked.adopt(this.#sides);
  }
}
