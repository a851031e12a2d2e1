import { ATTENTION } from '../../core/core.ts';
import { BATCH_VERDICTS, type BatchCore, type MergedBatch } from '../../core/batch.ts';
import { countOf, firstNotBelow, idAt, idBytesAt, rowBlock, sliceBlock, type PackedRows } from '../../core/row-block.ts';
import type { loadBatchCore } from '../../core/load-batch-core.ts';
import type { Layout } from '../../protocol/layout.ts';
import type { Image } from '../../protocol/items.ts';
import { parseLayouts } from '../../protocol/wire-layout.ts';
import type { PackedStorage, StateRow } from '../../storage/storage-adapter.ts';
import { utf8 } from '../../shared/bytes.ts';
import type { EngineContext } from '../engine-context.ts';
import { findRecordId, hasRecordId } from '../store/record-id.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import { STATE } from '../store/stored.ts';
import { badAnswer } from './server-link.ts';
import { storedRange, type IdRange, type StagedPage } from './staged-pages.ts';

export { loadBatchCore } from '../../core/load-batch-core.ts';

const MERGE = BATCH_VERDICTS.indexOf('merge'), CARE = BATCH_VERDICTS.indexOf('care');

/** What becomes of a page as a whole. */
export interface BulkPage {
  /** The plain records that are merged, as storage keeps them. */
  readonly put: readonly PackedRows[];
  /** Where the birth ids of those are found by the Record IDs of the server. */
  readonly putState: readonly StateRow[];
  /** The layouts of their rows. */
  readonly layouts: ReadonlySet<Layout>;
  /** What is not plain: it is looked at record by record. */
  readonly care: readonly Image[];
  /** Records that are held in the page's ranges, and are not on it. */
  readonly absent: readonly Key[];
}

/** Merges pages of a download without an object for each of their records. */
export interface BulkDownload {
  /** `null` where the device holds far more in the ranges than the page has, or holds them in another order than the server. */
  merge(page: StagedPage): Promise<BulkPage | null>;
}

/**
 * Opens the way for what is plain of a download, which is nearly all of nearly every one: live records of which the device holds a live row
 * at most, in the same layout. All else is looked at with care.
 *
 * @param load - loads the core for large batches
 * @param busy - records of groups that take nothing now
 */
export async function openBulkDownload(context: EngineContext, load: typeof loadBatchCore, busy: Iterable<Key>): Promise<BulkDownload> {
  const { store, random } = context;
  const batch = await load({ random });
  const attention = gatherAttention([...busy, ...store.keysApart()]);
  return { merge: (page) => mergePage(context, store.packed!, batch, attention, page) };
}

async function mergePage({ schema }: EngineContext, packed: PackedStorage, batch: BatchCore, attention: ReadonlyMap<string, Uint8Array>, page: StagedPage): Promise<BulkPage | null> {
  const { items, ranges } = page;
  const most = items.length * 4 + 1_048_576;
  const bases: { readonly object: string; readonly blocks: readonly Uint8Array[] }[] = [];
  for (const range of ranges) {
    const blocks = await readRange(packed, range, most);
    if (blocks === null) return null;
    bases.push({ object: range.object, blocks });
  }
  const layouts = parseLayouts(page.layouts);
  const index = batch.indexBatch(items, layouts);
  if (!index.ok) throw badAnswer(`its records are not canonical (${index.status} at byte ${index.offset})`);
  const near = index.objects.flatMap((object): PackedRows[] => {
    const block = attention.get(object);
    return block === undefined ? [] : [{ object, block: rowsWithin(block, index.ids(object)) }];
  });
  const merged = batch.mergeBatch({ items, layouts, index, bases, attention: near, replace: 'newer-or-equal', listAbsent: true });
  const named = layouts.map(({ object }) => hasRecordId(schema, object));
  const care: Image[] = [], putState: StateRow[] = [], used = new Set<Layout>();
  merged.verdicts.forEach((verdict, image) => {
    const layout = index.layout(image);
    if (verdict === MERGE) used.add(layouts[layout]!);
    if (verdict === MERGE && !named[layout]) return;
    const all = { layout, id: index.id(image), version: index.version(image), state: index.state(image), row: index.row(image) };
    if (verdict === CARE) care.push(all);
    if (verdict !== MERGE) return;
    const { object } = layouts[layout]!;
    const recordId = findRecordId(schema, keyOf(object, all.id), { ...all, layout: layouts[layout]! });
    if (recordId !== null) putState.push({ key: STATE.recordId + keyOf(object, recordId), bytes: utf8(all.id) });
  });
  return { put: merged.put, putState, layouts: used, care, absent: keysIn(merged.absent) };
}

/** Reads a range at once; `null` when it is more than so many bytes, or cannot be read without the rows around it. */
async function readRange(packed: PackedStorage, range: IdRange, most: number): Promise<readonly Uint8Array[] | null> {
  const { object, after, upTo } = range;
  if (!storedRange(range).isExact) return null;
  const blocks = await packed.scan({ object, ...(after !== null && { after }), ...(upTo !== null && { upTo }), limitBytes: most });
  return blocks.reduce((bytes, block) => bytes + block.length, 0) < most ? blocks : null;
}

/** Row blocks that say of records that they are to be looked at with care, by object. */
function gatherAttention(keys: Iterable<Key>): Map<string, Uint8Array> {
  const ids = new Map<string, Set<string>>();
  for (const { object, id } of [...keys].map(splitKey)) ids.set(object, (ids.get(object) ?? new Set()).add(id));
  const bytes = Uint8Array.of(ATTENTION.care);
  return new Map([...ids].map(([object, all]) => [object, rowBlock([...all].sort().map((id) => ({ id, bytes })))]));
}

/** The rows from the first to the last id of another block. */
function rowsWithin(block: Uint8Array, ids: Uint8Array): Uint8Array {
  const count = countOf(ids);
  if (count === 0) return sliceBlock(block, 0, 0);
  const from = firstNotBelow(block, idBytesAt(ids, 0)), last = idBytesAt(ids, count - 1);
  let to = firstNotBelow(block, last, from);
  if (to < countOf(block) && idAt(block, to) === idAt(ids, count - 1)) to++;
  return sliceBlock(block, from, to);
}

function keysIn(absent: MergedBatch['absent']): Key[] {
  return absent.flatMap(({ object, block }) => Array.from({ length: countOf(block) }, (_, row) => keyOf(object, idAt(block, row))));
}
