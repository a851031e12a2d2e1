import { countOf, findRow, idAt, mergeBlocks, pickRows, rowBlock, valueAt } from '../core/row-block.ts';
import { copyBytes } from '../shared/bytes.ts';
import { isPackable, NO_ROWS } from './block-patch.ts';
import { RowHeap } from './row-heap.ts';
import { SortedTable } from './sorted-table.ts';

// Fewer rows than that are kept one by one, and packed once there are twice as many.
const MANY_ROWS = 2_048;

/** A row and its id. */
export type Row = readonly [id: string, bytes: Uint8Array];

/** The rows of one object: few that were written one by one, all others in blocks. A row is in one of both. What is read are copies. */
export class RecordTable {
  #singles = new SortedTable();
  /** The single rows as a block, as long as none changes. */
  #packedSingles: Uint8Array | null = NO_ROWS;
  readonly #heap = new RowHeap();

  get(id: string): Uint8Array | undefined {
    const bytes = this.#singles.get(id) ?? (isPackable(id) ? this.#heap.get(id) : undefined);
    return bytes && copyBytes(bytes);
  }

  put(id: string, bytes: Uint8Array): void {
    this.remove(id);
    this.#singles.put(id, copyBytes(bytes));
    this.#packedSingles = null;
    if (this.#singles.size >= MANY_ROWS * 2) this.#packSingles();
  }

  remove(id: string): void {
    if (this.#singles.remove(id)) this.#packedSingles = null;
    else if (this.#heap.count > 0 && isPackable(id)) this.#heap.remove(id);
  }

  putPacked(block: Uint8Array): void {
    const count = countOf(block);
    if (count < MANY_ROWS) {
      for (let row = 0; row < count; row++) this.put(idAt(block, row), valueAt(block, row));
      return;
    }
    for (const id of this.#singles.keys({ limit: Infinity })) if (isPackable(id) && findRow(block, id) >= 0) this.remove(id);
    this.#heap.add(copyBytes(block));
  }

  /** Up to `limit` rows with an id greater than `after`, in id order. */
  rows({ after, limit }: { readonly after?: string | undefined; readonly limit: number }): Row[] {
    const singles = this.#singles.keys({ after, limit });
    const rows: Row[] = [];
    let next = 0;
    const takeSinglesBelow = (id: string | null) => {
      for (; next < singles.length && (id === null || singles[next]! < id); next++) rows.push([singles[next]!, copyBytes(this.#singles.get(singles[next]!)!)]);
    };
    for (const [block, row] of this.#heap.rows(after)) {
      if (rows.length >= limit) break;
      const id = idAt(block, row);
      takeSinglesBelow(id);
      rows.push([id, copyBytes(valueAt(block, row))]);
    }
    takeSinglesBelow(null);
    return rows.slice(0, limit);
  }

  /** The rows whose ids are those of a block. */
  pick(ids: Uint8Array): Uint8Array {
    const packed = this.#heap.pick(ids);
    return this.#singles.size === 0 ? packed : mergeBlocks(packed, pickRows(this.#singlesBlock(), ids));
  }

  /** The rows with `after` < id <= `upTo` in id order, as blocks until they have `limitBytes` together. */
  scan(range: { readonly after?: string; readonly upTo?: string; readonly limitBytes: number }): Uint8Array[] {
    return this.#heap.scan(range, this.#singlesBlock());
  }

  #singlesBlock(): Uint8Array {
    this.#packedSingles ??= rowBlock(this.#singles.keys({ limit: Infinity }).filter(isPackable).map((id) => ({ id, bytes: this.#singles.get(id)! })));
    return this.#packedSingles;
  }

  #packSingles(): void {
    const block = this.#singlesBlock();
    const left = new SortedTable();
    // An id that cannot be written in UTF-8 stays out of blocks.
    for (const id of this.#singles.keys({ limit: Infinity })) if (!isPackable(id)) left.put(id, this.#singles.get(id)!);
    this.#singles = left;
    this.#packedSingles = null;
    this.#heap.add(block);
  }
}
