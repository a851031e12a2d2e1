import type { Layout } from '../../protocol/layout.ts';
import { encodeEnvelope } from '../../protocol/envelope.ts';
import type { PackedRows } from '../../core/row-block.ts';
import { utf8 } from '../../shared/bytes.ts';
import type { RecordKey, RecordRow, StateRow } from '../../storage/storage-adapter.ts';
import type { Notice } from '../answers/notices.ts';
import type { QueueEntry } from '../queue/queue-entry.ts';
import { keyOf, splitKey, type Key } from './record-key.ts';
import { encodeParked, type ParkedGroup } from './parked.ts';
import type { HeldImage } from './rows.ts';
import { encodeEntry, encodeImage, encodeLayout, encodeMeta, orderedKey, STATE, type Meta } from './stored.ts';

/**
 * Everything that one step changes. It is collected here, written as one storage commit, and only then taken over into memory: a step
 * that failed has changed nothing.
 */
export class Step {
  readonly bases: Map<Key, HeldImage> = new Map();
  /** `null` removes. */
  readonly sides: Map<Key, HeldImage | null> = new Map();
  /** Which records came out of scope, and when by the server's clock (rule A32); `null` removes. */
  readonly outside: Map<Key, number | null> = new Map();
  /** By name; `null` removes. */
  readonly parked: Map<Key, ParkedGroup | null> = new Map();
  /** `null` removes. */
  readonly entries: Map<number, QueueEntry | null> = new Map();
  /** `null` removes. */
  readonly notices: Map<number, Notice | null> = new Map();
  readonly layouts: Map<string, Layout> = new Map();
  /** Live bases as storage keeps them, for a storage that takes them so: of records that it holds live, or not at all, and of which nothing else is held. */
  readonly putPacked: PackedRows[] = [];
  readonly putState: StateRow[] = [];
  readonly removeState: string[] = [];
  meta: Partial<Meta> = {};
  /** More follows that belongs to it: nobody hears of it before the next step that is not so. */
  isUntold = false;

  /** Makes an image the base of its record. */
  putBase(key: Key, image: HeldImage): void {
    this.bases.set(key, image);
    if (image.state !== 'live') this.outside.set(key, null);
    this.layouts.set(image.layout.hash, image.layout);
  }

  putSide(key: Key, image: HeldImage): void {
    this.sides.set(key, image);
    this.layouts.set(image.layout.hash, image.layout);
  }

  putEntry(entry: QueueEntry): void {
    this.entries.set(entry.seq, entry);
    for (const { layout } of entry.members) this.layouts.set(layout.hash, layout);
    const online = entry.refusal?.online ?? null;
    if (online !== null) this.layouts.set(online.layout.hash, online.layout);
  }

  removeEntry(entry: QueueEntry): void {
    this.entries.set(entry.seq, null);
  }

  /** Takes the number of the next row of the journal, or of the next notice. */
  takeNote(meta: Meta): number {
    const note = this.meta.nextNote ?? meta.nextNote;
    this.meta = { ...this.meta, nextNote: note + 1 };
    return note;
  }

  /** The rows to write and to remove. */
  rows({ meta, layouts, isGone, outside, recordIdOf }: StepSurroundings): StepRows {
    const putRecords: RecordRow[] = [];
    const removeRecords: RecordKey[] = [];
    const putState = [...this.putState];
    const removeState = [...this.removeState];
    const putOrRemove = (key: string, bytes: Uint8Array | null): unknown => (bytes === null ? removeState.push(key) : putState.push({ key, bytes }));
    for (const [key, image] of this.bases) {
      if (image.state === 'live') {
        putRecords.push({ ...splitKey(key), bytes: encodeImage(image) });
        if (isGone(key)) removeState.push(STATE.gone + key);
        const recordId = recordIdOf(key, image);
        const { object, id } = splitKey(key);
        if (recordId !== null) putState.push({ key: STATE.recordId + keyOf(object, recordId), bytes: utf8(id) });
      } else {
        removeRecords.push(splitKey(key));
        // The version outlives the record, or a late answer could bring it back (rule C6).
        putState.push({ key: STATE.gone + key, bytes: encodeImage(image) });
      }
    }
    for (const [key, image] of this.sides) putOrRemove(STATE.side + key, image && encodeImage(image));
    for (const [key, since] of this.outside) if (since !== null || outside.has(key)) putOrRemove(STATE.outside + key, since === null ? null : utf8(String(since)));
    for (const [name, group] of this.parked) putOrRemove(STATE.parked + name, group && encodeParked(group));
    for (const [seq, entry] of this.entries) putOrRemove(orderedKey(STATE.queue, seq), entry && encodeEntry(entry));
    for (const [id, notice] of this.notices) putOrRemove(orderedKey(STATE.notice, id), notice && encodeEnvelope(notice));
    for (const [hash, layout] of this.layouts) {
      if (!layouts.has(hash)) putState.push({ key: STATE.layout + hash, bytes: encodeLayout(layout) });
    }
    if (Object.keys(this.meta).length > 0) putState.push({ key: STATE.meta, bytes: encodeMeta({ ...meta, ...this.meta }) });
    return { putRecords, removeRecords, putState, removeState, ...(this.putPacked.length > 0 && { putPacked: this.putPacked }) };
  }
}

/** What a step's rows depend on. */
export interface StepSurroundings {
  readonly meta: Meta;
  /** Layouts that the store holds already. */
  readonly layouts: ReadonlyMap<string, Layout>;
  readonly isGone: (key: Key) => boolean;
  /** Records that are marked as out of scope. */
  readonly outside: ReadonlyMap<Key, number>;
  /** The server's Record ID in an image, where it has one. */
  readonly recordIdOf: (key: Key, image: HeldImage) => string | null;
}

export interface StepRows {
  readonly putPacked?: readonly PackedRows[];
  readonly putRecords: readonly RecordRow[];
  readonly removeRecords: readonly RecordKey[];
  readonly putState: readonly StateRow[];
  readonly removeState: readonly string[];
}

/** While a download is staged, records that come in by other ways are noted: its apply must not take them for removed ones. */
export function noteFresh(step: Step): void {
  const { download } = step.meta;
  if (download === null || download?.applying) return;
  const kept = [...step.sides].filter(([, image]) => image !== null).map(([key]) => key);
  for (const key of new Set([...step.bases.keys(), ...kept])) step.putState.push({ key: STATE.fresh + key, bytes: new Uint8Array() });
}
