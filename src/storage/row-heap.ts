import { dataOf, keyEndOf, rowStart } from '../core/row-block-layout.ts';
import { compareIds, copyRuns, countOf, firstNotBelow, idBytesAt, valueAt } from '../core/row-block.ts';
import { utf8 } from '../shared/bytes.ts';
import { firstAbove } from './block-patch.ts';
import { IdIndex } from './id-index.ts';

// So many blocks, and more for what rows need that lie together in blocks of the largest size.
const MOST_BLOCKS = 256, MOST_BLOCK_BYTES = 8 << 20;

// A part of a scan: large enough that nothing is gained by more, small enough to be let go of soon.
const SCAN_BLOCK_BYTES = 256 << 10;

/**
 * Rows in blocks that stay as they came: of an id, the row that came last counts, and all before it are dead. An index says where each row
 * lies; the order is found when somebody reads in order. Blocks that have become many, or mostly dead, are put together anew.
 */
export class RowHeap {
  #blocks: Uint8Array[] = [];
  /** For each block which of its rows are dead, a byte for each row; `null` while none is. */
  #dead: (Uint8Array | null)[] = [];
  #deadCount = 0;
  #index = this.#emptyIndex();

  /** How many rows count. */
  get count(): number {
    return this.#index.count;
  }

  /** The value of a row: a view. */
  get(id: string): Uint8Array | undefined {
    const bytes = utf8(id);
    return this.#index.find(bytes, 0, bytes.length) ? valueAt(this.#blocks[this.#index.block]!, this.#index.row) : undefined;
  }

  /** Removes a row, if it is there. */
  remove(id: string): void {
    const bytes = utf8(id);
    if (this.#index.remove(bytes, 0, bytes.length)) this.#kill(this.#index.block, this.#index.row);
  }

  /** Adds a block of rows, which is the heap's from now on. */
  add(block: Uint8Array): void {
    this.#push(block);
    const byteLength = this.#blocks.reduce((sum, { length }) => sum + length, 0);
    if (this.#deadCount > this.count * 2 || this.#blocks.length > MOST_BLOCKS + byteLength / MOST_BLOCK_BYTES) this.#putTogether();
  }

  /** The rows whose ids are those of a block. */
  pick(ids: Uint8Array): Uint8Array {
    const runs: number[] = [];
    const data = dataOf(ids), count = countOf(ids);
    for (let index = 0; index < count; index++) {
      if (!this.#index.find(ids, rowStart(ids, index), data + keyEndOf(ids, index))) continue;
      const { block, row } = this.#index;
      const last = runs.length - 3;
      if (last >= 0 && runs[last] === block && runs[last + 2] === row) runs[last + 2] = row + 1;
      else runs.push(block, row, row + 1);
    }
    return copyRuns(this.#blocks, runs);
  }

  /**
   * The rows with `after` < id <= `upTo` in id order, as blocks until they have `limitBytes` together.
   *
   * @param besides - rows of other ids, which are taken in.
   */
  scan(range: { readonly after?: string | undefined; readonly upTo?: string | undefined; readonly limitBytes: number }, besides: Uint8Array): Uint8Array[] {
    return this.#inBlocks(this.#runs(range, besides), [...this.#blocks, besides], Math.min(range.limitBytes, SCAN_BLOCK_BYTES), range.limitBytes);
  }

  /** The rows with an id greater than `after`, in id order: the block of each, and its place there. */
  *rows(after: string | undefined): Generator<readonly [block: Uint8Array, row: number]> {
    for (const [source, from, to] of this.#runs({ after }, null)) for (let row = from; row < to; row++) yield [this.#blocks[source]!, row];
  }

  #emptyIndex(): IdIndex {
    return new IdIndex((block) => this.#blocks[block]!);
  }

  #push(block: Uint8Array): void {
    const number = this.#blocks.push(block) - 1;
    this.#dead.push(null);
    const data = dataOf(block), count = countOf(block);
    for (let row = 0, start = data; row < count; row++) {
      if (this.#index.put(block, start, data + keyEndOf(block, row), number, row)) this.#kill(this.#index.block, this.#index.row);
      start = rowStart(block, row + 1);
    }
  }

  #kill(block: number, row: number): void {
    (this.#dead[block] ??= new Uint8Array(countOf(this.#blocks[block]!)))[row] = 1;
    this.#deadCount++;
  }

  #putTogether(): void {
    const blocks = this.#inBlocks(this.#runs({}, null), this.#blocks, MOST_BLOCK_BYTES, Infinity);
    [this.#blocks, this.#dead, this.#deadCount] = [[], [], 0];
    this.#index = this.#emptyIndex();
    for (const block of blocks) this.#push(block);
  }

  /** Packs runs of rows in blocks of so many bytes. */
  #inBlocks(runs: Iterable<SourceRun>, sources: readonly Uint8Array[], bytesPerBlock: number, limitBytes: number): Uint8Array[] {
    const blocks: Uint8Array[] = [];
    let packed: number[] = [], byteLength = 0, total = 0;
    for (const [source, from, to] of runs) {
      const block = sources[source]!;
      for (let at = from; at < to; ) {
        const end = Math.min(to, at + rowsThatFill(block, at, to, bytesPerBlock - byteLength));
        packed.push(source, at, end);
        byteLength += rowStart(block, end) - rowStart(block, at);
        at = end;
        if (byteLength < bytesPerBlock) continue;
        blocks.push(copyRuns(sources, packed));
        total += byteLength;
        if (total >= limitBytes) return blocks;
        [packed, byteLength] = [[], 0];
      }
    }
    return packed.length === 0 ? blocks : [...blocks, copyRuns(sources, packed)];
  }

  /** Runs of rows that count, in id order; `besides` goes by the number behind those of the blocks. */
  *#runs({ after, upTo }: { readonly after?: string | undefined; readonly upTo?: string | undefined }, besides: Uint8Array | null): Generator<SourceRun> {
    const queue = new CursorQueue();
    for (const [source, block] of (besides === null ? this.#blocks : [...this.#blocks, besides]).entries()) {
      const from = after === undefined ? 0 : firstAbove(block, after);
      queue.put({ source, block, at: from, end: firstAbove(block, upTo, from), id: NO_ID });
    }
    for (let first = queue.first; first !== undefined; first = queue.first) {
      const { source, block, at } = first;
      const next = queue.second;
      // Of two rows with one id at least one is dead: either may come first.
      const to = next === undefined ? first.end : Math.min(first.end, Math.max(at + 1, firstNotBelow(block, next.id, at)));
      const dead = this.#dead[source] ?? null;
      if (dead === null) yield [source, at, to];
      else for (let row = at; row < to; row++) if (dead[row] === 0) yield [source, row, row + 1];
      queue.moveFirst(to);
    }
  }
}

type SourceRun = readonly [source: number, from: number, to: number];

const NO_ID = new Uint8Array();

interface Cursor {
  readonly source: number;
  readonly block: Uint8Array;
  at: number;
  readonly end: number;
  /** The id where it is. */
  id: Uint8Array;
}

/** Cursors in blocks, the one with the least id first: a binary heap. */
class CursorQueue {
  readonly #cursors: Cursor[] = [];

  get first(): Cursor | undefined {
    return this.#cursors[0];
  }

  /** The one that will be first when the first is gone. */
  get second(): Cursor | undefined {
    const [, left, right] = this.#cursors;
    return left === undefined || right === undefined || compareIds(left.id, right.id) <= 0 ? left : right;
  }

  put(cursor: Cursor): void {
    if (cursor.at === cursor.end) return;
    cursor.id = idBytesAt(cursor.block, cursor.at);
    let place = this.#cursors.push(cursor) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (compareIds(this.#cursors[above]!.id, cursor.id) <= 0) break;
      this.#cursors[place] = this.#cursors[above]!;
      place = above;
    }
    this.#cursors[place] = cursor;
  }

  /** Moves the first cursor on to another row; at its end it is gone. */
  moveFirst(at: number): void {
    const [first] = this.#cursors;
    const moved = first!.end === at ? this.#cursors.pop()! : first!;
    if (moved === first) {
      if (first.end === at) return;
      first.at = at;
      first.id = idBytesAt(first.block, at);
    }
    this.#sink(moved);
  }

  #sink(cursor: Cursor): void {
    const cursors = this.#cursors;
    let place = 0;
    for (;;) {
      let below = place * 2 + 1;
      if (below >= cursors.length) break;
      if (below + 1 < cursors.length && compareIds(cursors[below + 1]!.id, cursors[below]!.id) < 0) below++;
      if (compareIds(cursor.id, cursors[below]!.id) <= 0) break;
      cursors[place] = cursors[below]!;
      place = below;
    }
    cursors[place] = cursor;
  }
}

/** How many rows, from one on, have so many bytes together, by their mean: one at least. */
function rowsThatFill(block: Uint8Array, from: number, to: number, bytes: number): number {
  const mean = (rowStart(block, to) - rowStart(block, from)) / (to - from);
  return Math.max(1, Math.ceil(bytes / mean));
}
