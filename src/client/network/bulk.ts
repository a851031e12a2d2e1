import type { BatchCore } from '../../core/batch.ts';
import { countOf, firstNotBelow, idAt, idBytesAt, sliceBlock, type PackedRows } from '../../core/row-block.ts';
import type { Image } from '../../protocol/items.ts';
import { parseLayouts } from '../../protocol/wire-layout.ts';
import type { PackedStorage } from '../../storage/storage-adapter.ts';
import type { EngineContext } from '../engine-context.ts';
import type { Key } from '../store/record-key.ts';
import { besideMerged, CARE, careForAll, imageAt, keysIn, type Beside } from './bulk-rows.ts';
import { badAnswer } from './server-link.ts';
import { storedRange, type IdRange, type StagedPage } from './staged-pages.ts';

export { loadBatchCore } from '../../core/load-batch-core.ts';
export { takeBulk } from './bulk-page.ts';

/** What becomes of a page as a whole. */
export interface BulkPage extends Beside {
  /** The plain records that are merged, as storage keeps them. */
  readonly put: readonly PackedRows[];
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
 * @param busy - records of groups that take nothing now
 */
export function openBulkDownload({ store, schema }: EngineContext, batch: BatchCore, busy: Iterable<Key>): BulkDownload {
  const attention = careForAll([...busy, ...store.keysApart()]);
  return {
    async merge(page) {
      const { items, ranges } = page;
      // A page of few records over a range of which the device holds very many is not read at once.
      const most = items.length * 4 + 1_048_576;
      const bases: { readonly object: string; readonly blocks: readonly Uint8Array[] }[] = [];
      for (const range of ranges) {
        const blocks = await readRange(store.packed!, range, most);
        if (blocks === null) return null;
        bases.push({ object: range.object, blocks });
      }
      const layouts = parseLayouts(page.layouts);
      const index = batch.indexBatch(items, layouts);
      if (!index.ok) throw badAnswer(`its records are not canonical (${index.status} at byte ${index.offset})`);
      const near = attention.filter(({ object }) => index.objects.includes(object)).map(({ object, block }) => ({ object, block: rowsWithin(block, index.ids(object)) }));
      const { verdicts, put, absent } = batch.mergeBatch({ items, layouts, index, bases, attention: near, replace: 'newer-or-equal', listAbsent: true });
      const care: Image[] = [];
      verdicts.forEach((verdict, image) => verdict === CARE && care.push(imageAt(index, image)));
      return { put, care, absent: keysIn(absent), ...besideMerged(schema, index, layouts, verdicts) };
    },
  };
}

/** Reads a range at once; `null` when it is more than so many bytes, or cannot be read without the rows around it. */
async function readRange(packed: PackedStorage, range: IdRange, most: number): Promise<readonly Uint8Array[] | null> {
  const { object, after, upTo } = range;
  if (!storedRange(range).isExact) return null;
  const blocks = await packed.scan({ object, ...(after !== null && { after }), ...(upTo !== null && { upTo }), limitBytes: most });
  return blocks.reduce((bytes, block) => bytes + block.length, 0) < most ? blocks : null;
}

/** The rows from the first to the last id of another block. */
function rowsWithin(block: Uint8Array, ids: Uint8Array): Uint8Array {
  const count = countOf(ids);
  if (count === 0) return sliceBlock(block, 0, 0);
  const from = firstNotBelow(block, idBytesAt(ids, 0)), last = idBytesAt(ids, count - 1);
  const to = firstNotBelow(block, last, from);
  return sliceBlock(block, from, to < countOf(block) && idAt(block, to) === idAt(ids, count - 1) ? to + 1 : to);
}
