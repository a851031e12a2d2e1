import { ATTENTION } from '../../core/core.ts';
import { BATCH_VERDICTS, type BatchIndex } from '../../core/batch.ts';
import { countOf, idAt, rowBlock, type PackedRows } from '../../core/row-block.ts';
import type { Image } from '../../protocol/items.ts';
import type { Layout } from '../../protocol/layout.ts';
import type { Schema } from '../../protocol/schema.ts';
import { utf8 } from '../../shared/bytes.ts';
import type { StateRow } from '../../storage/storage-adapter.ts';
import type { LocalStore } from '../store/local-store.ts';
import { findRecordId, hasRecordId } from '../store/record-id.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import { STATE } from '../store/stored.ts';

/** The bytes of a merged batch that say so. */
export const MERGE: number = BATCH_VERDICTS.indexOf('merge');
export const STALE: number = BATCH_VERDICTS.indexOf('stale');
export const SUPERSEDED: number = BATCH_VERDICTS.indexOf('superseded');
export const CARE: number = BATCH_VERDICTS.indexOf('care');

const CARE_FLAG = Uint8Array.of(ATTENTION.care);

/** Says of records of an object that they are to be looked at with care. */
export function careFor(object: string, ids: Iterable<string>): PackedRows {
  return { object, block: rowBlock([...new Set(ids)].sort().map((id) => ({ id, bytes: CARE_FLAG }))) };
}

/** The same of records of any objects, one row block each. */
export function careForAll(keys: Iterable<Key>): PackedRows[] {
  const ids = new Map<string, string[]>();
  for (const { object, id } of [...keys].map(splitKey)) {
    const own = ids.get(object);
    if (own === undefined) ids.set(object, [id]);
    else own.push(id);
  }
  return [...ids].map(([object, own]) => careFor(object, own));
}

/** An image of a batch, as those that are looked at one by one are. */
export function imageAt(index: BatchIndex, image: number): Image {
  return { layout: index.layout(image), id: index.id(image), version: index.version(image), state: index.state(image), row: index.row(image) };
}

/** What a step has to write besides the rows that were merged of a batch: where the birth ids of Record IDs are found, and the layouts. */
export interface Beside {
  readonly putState: readonly StateRow[];
  readonly layouts: ReadonlySet<Layout>;
}

/** Finds that. Of objects without Record IDs nothing is looked at but the verdict. */
export function besideMerged(schema: Schema, index: BatchIndex, layouts: readonly Layout[], verdicts: Uint8Array): Beside {
  const named = layouts.map(({ object }) => hasRecordId(schema, object));
  const putState: StateRow[] = [], used = new Set<Layout>();
  verdicts.forEach((verdict, image) => {
    if (verdict !== MERGE) return;
    const place = index.layout(image), layout = layouts[place]!;
    used.add(layout);
    if (!named[place]) return;
    const id = index.id(image);
    const recordId = findRecordId(schema, keyOf(layout.object, id), { layout, row: index.row(image) });
    if (recordId !== null) putState.push({ key: STATE.recordId + keyOf(layout.object, recordId), bytes: utf8(id) });
  });
  return { putState, layouts: used };
}

/** The ids of packed rows. */
export function keysIn(packed: readonly PackedRows[]): Key[] {
  return packed.flatMap(({ object, block }) => Array.from({ length: countOf(block) }, (_, row) => keyOf(object, idAt(block, row))));
}

/** Whether more is known of a record than a live row at most: what waits, is open, is kept aside or gone, or is waited for. */
export type NeedsCare = (key: Key) => boolean;

/** What says that of records; `null` where it is so of none. */
export function careIn(store: LocalStore): NeedsCare | null {
  const { pending, failed } = store.counts;
  const reasons: NeedsCare[] = [];
  if (!isEmpty(store.keysApart())) reasons.push((key) => store.tombstone(key) !== undefined || store.side(key) !== null || store.outside.has(key));
  if (pending + failed > 0) reasons.push((key) => store.isBusy(key));
  if (store.drafts.byRecord.size > 0 || !isEmpty(store.inUse.keys)) reasons.push((key) => store.isInUse(key));
  if (store.parked.size > 0) reasons.push((key) => store.parkedOf(key).length > 0);
  return reasons.length === 0 ? null : (key) => reasons.some((isSo) => isSo(key));
}

function isEmpty(keys: Iterable<Key>): boolean {
  return keys[Symbol.iterator]().next().done === true;
}
