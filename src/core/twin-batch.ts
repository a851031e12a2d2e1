import {
  BATCH_HEADER_WORDS,
  BATCH_IMAGE_WORDS,
  BATCH_NEWEST,
  IMAGE_WORDS,
  VERDICT_CARE,
  VERDICT_DISCARD,
  VERDICT_INCOMPLETE,
  VERDICT_MERGE,
  VERDICT_STALE,
  VERDICT_SUPERSEDED,
  VERDICT_WAIT,
} from '../../assembly/layout.ts';
import { ByteWriter } from '../protocol/byte-writer.ts';
import type { Layout } from '../protocol/layout.ts';
import { compareVersions } from '../protocol/version.ts';
import { MergedChanges, NO_BLOCK } from './batch-changes.ts';
import { SortedImages, sortedImages } from './batch-index.ts';
import { requireBlocks, requireGroups, requireOnePlace } from './batch-input.ts';
import type { BatchCore, MergedBatch, MergeInput } from './batch.ts';
import { ATTENTION } from './core.ts';
import { numberObjects } from './core-regions.ts';
import { createImageTable } from './image-table.ts';
import { refusing, trusting } from './refusal.ts';
import { compareIds, countOf, findRow, firstNotBelow, idAt, idBytesAt, rowBlock, valueAt, type PackedRows } from './row-block.ts';
import { readStoredHead, storedBeginning, writeStoredRow } from './stored-row.ts';
import { diffPairs } from './twin-edits.ts';
import { indexImages } from './twin-items.ts';
import { isComplete } from './twin-plan.ts';

/** Bytes after which a block of merged rows ends, and the next one begins. */
const BLOCK_BYTES = 1024 * 1024;

const NOTHING = new Uint8Array(0);

/** What is held of a record: the block among those of its object, and the row there. */
interface Held {
  readonly block: number;
  readonly row: number;
}

/** Makes the core for large batches in plain TypeScript: oracle and fallback of the Wasm builds, as obvious as its input lets it be. */
export function createTwinBatchCore(): BatchCore {
  return {
    build: 'twin',
    indexBatch: (items, layouts) => refusing(() => indexBatch(items, layouts)),
    mergeBatch(input) {
      requireGroups(input);
      requireBlocks(input);
      requireOnePlace(input.bases);
      return trusting(() => new BatchMerge(input).run());
    },
  };
}

function indexBatch(items: Uint8Array, layouts: readonly Layout[]): SortedImages {
  const entries = indexImages(items, layouts);
  const images = createImageTable(items, entries);
  const numbers = numberObjects(layouts);
  const objectOf = layouts.map(({ object }) => numbers.get(object)!);
  const records = Array.from({ length: images.count }, (_, image) => ({ image, object: objectOf[images.layout(image)]!, id: images.id(image) }));
  // The sort is stable: images of one record stay in the order of the message.
  records.sort((left, right) => left.object - right.object || (left.id < right.id ? -1 : left.id > right.id ? 1 : 0));
  const newestOf = new Uint32Array(images.count), order: number[] = [], ends = numbers.size === 0 ? [] : Array<number>(numbers.size).fill(0);
  for (let from = 0, to = 0; from < records.length; from = to) {
    const { object, id } = records[from]!;
    while (to < records.length && records[to]!.object === object && records[to]!.id === id) to++;
    const all = records.slice(from, to).map(({ image }) => image);
    const newest = all.reduce((best, image) => (compareVersions(images.version(image), images.version(best)) >= 0 ? image : best));
    for (const image of all) newestOf[image] = newest;
    order.push(newest);
    ends[object] = order.length;
  }
  // An object without images ends where the one before it does.
  for (let object = 1; object < ends.length; object++) ends[object] = Math.max(ends[object]!, ends[object - 1]!);
  const entriesEnd = BATCH_HEADER_WORDS + images.count * BATCH_IMAGE_WORDS;
  const words = new Uint32Array(entriesEnd + order.length + ends.length);
  words.set([images.count, order.length]);
  for (let image = 0; image < images.count; image++) {
    const entry = BATCH_HEADER_WORDS + image * BATCH_IMAGE_WORDS;
    for (let word = 0; word < IMAGE_WORDS; word++) words[entry + word] = entries[image * IMAGE_WORDS + word]!;
    words[entry + BATCH_NEWEST] = newestOf[image]!;
  }
  words.set(order, entriesEnd);
  words.set(ends, entriesEnd + order.length);
  return new SortedImages(items, words, layouts);
}

/** One merge: looks up what is held, gathers what is in the way, decides, packs. */
class BatchMerge {
  readonly #input: MergeInput;
  readonly #index: SortedImages;
  readonly #beginnings: readonly Uint8Array[];
  /** By image: bits of ATTENTION of its record, where it is the newest. */
  readonly #flags: Uint8Array;
  readonly #isStale: Uint8Array;
  readonly #held = new Map<number, Held>();
  readonly #absent: PackedRows[] = [];

  constructor(input: MergeInput) {
    this.#input = input;
    this.#index = sortedImages(input);
    this.#beginnings = input.layouts.map(storedBeginning);
    this.#flags = new Uint8Array(input.index.count);
    this.#isStale = new Uint8Array(input.index.count);
  }

  run(): MergedBatch {
    for (const { object, block } of this.#input.attention) this.#noteAttention(object, block);
    // What the record's own attention says counts before what is held of it.
    for (const { object, blocks } of this.#input.bases) this.#join(object, blocks);
    for (let place = 0; place < this.#index.recordCount; place++) this.#look(this.#index.newestAt(place));
    const groupFlags = this.#gatherGroups();
    const verdicts = Uint8Array.from({ length: this.#index.count }, (_, image) => this.#verdictOf(image, groupFlags));
    const refs: number[] = [];
    const put = this.#index.objects.flatMap((object) => this.#pack(object, verdicts, refs));
    const changes = new MergedChanges(this.#input, Uint32Array.from(refs), (layout, before, after) => diffPairs(layout, 1, before, after));
    return { ok: true, verdicts, put, absent: this.#absent, changes };
  }

  #noteAttention(object: string, block: Uint8Array): void {
    const ids = this.#index.ids(object), { from } = this.#index.rangeOf(object);
    for (let row = 0; row < countOf(block); row++) {
      const place = findRow(ids, idBytesAt(block, row));
      if (place >= 0) this.#flags[this.#index.newestAt(from + place)]! |= valueAt(block, row)[0]!;
    }
  }

  /** Finds what is held of each record of an object, and what is held besides. */
  #join(object: string, blocks: readonly Uint8Array[]): void {
    const ids = this.#index.ids(object), { from } = this.#index.rangeOf(object);
    let place = 0;
    for (const [block, rows] of blocks.entries()) {
      const absent: string[] = [];
      for (let row = 0; row < countOf(rows); row++) {
        const id = idBytesAt(rows, row);
        place = firstNotBelow(ids, id, place);
        if (place < countOf(ids) && compareIds(idBytesAt(ids, place), id) === 0) this.#held.set(this.#index.newestAt(from + place), { block, row });
        else absent.push(idAt(rows, row));
      }
      if (this.#input.listAbsent === true && absent.length > 0) this.#absent.push({ object, block: rowBlock(absent.map((id) => ({ id, bytes: NOTHING }))) });
    }
  }

  /** Compares an image with what is held of its record: is it older, or something that the caller has to look at? */
  #look(image: number): void {
    const { bases, layouts, replace } = this.#input;
    const held = this.#held.get(image), layout = this.#index.layout(image);
    let isPlain = this.#index.isLive(image);
    if (held !== undefined) {
      const { blocks } = bases.find(({ object }) => object === layouts[layout]!.object)!;
      const head = readStoredHead(valueAt(blocks[held.block]!, held.row), this.#beginnings[layout]!);
      const difference = compareVersions(this.#index.version(image), head.version);
      if (difference < 0 || (difference === 0 && replace === 'newer')) {
        this.#isStale[image] = 1;
        return;
      }
      isPlain &&= head.isLiveOf;
    }
    if (!isPlain) this.#flags[image]! |= ATTENTION.care;
  }

  /** What is in the way of each group: whatever is in the way of one of its records, also where a newer image of it stands elsewhere. */
  #gatherGroups(): number[] {
    const { groups = [], groupOf = [] } = this.#input;
    const flags = groups.map((group) => group.flags | (isComplete(group, this.#index) ? 0 : ATTENTION.incomplete));
    groupOf.forEach((group: number, image: number) => {
      if (group >= 0) flags[group]! |= this.#flags[this.#index.newestOf(image)]!;
    });
    return flags;
  }

  #verdictOf(image: number, groupFlags: readonly number[]): number {
    const own = this.#flags[image]!, group = this.#input.groupOf?.[image] ?? -1;
    if (this.#index.newestOf(image) !== image) return VERDICT_SUPERSEDED;
    if ((own & ATTENTION.care) !== 0) return VERDICT_CARE;
    if (this.#isStale[image] === 1) return VERDICT_STALE;
    return verdictOfFlags(group < 0 ? own : groupFlags[group]!);
  }

  /** Packs the merged images of an object, and notes a reference to each. */
  #pack(object: string, verdicts: Uint8Array, refs: number[]): PackedRows[] {
    const put: PackedRows[] = [];
    const { from, to } = this.#index.rangeOf(object);
    let rows: { id: string; bytes: Uint8Array }[] = [], byteLength = 0;
    for (let place = from; place < to; place++) {
      const image = this.#index.newestAt(place);
      if (verdicts[image] !== VERDICT_MERGE) continue;
      const held = this.#held.get(image);
      refs.push(image, held?.block ?? NO_BLOCK, held?.row ?? 0);
      const bytes = this.#storedRow(image);
      byteLength += bytes.length;
      rows.push({ id: this.#index.id(image), bytes });
      if (byteLength < BLOCK_BYTES) continue;
      put.push({ object, block: rowBlock(rows) });
      [rows, byteLength] = [[], 0];
    }
    return rows.length === 0 ? put : [...put, { object, block: rowBlock(rows) }];
  }

  #storedRow(image: number): Uint8Array {
    const row = this.#index.row(image)!;
    const writer = new ByteWriter(row.length + 64);
    writeStoredRow(writer, this.#beginnings[this.#index.layout(image)]!, this.#index.numbers(image), row);
    return writer.take();
  }
}

function verdictOfFlags(flags: number): number {
  if ((flags & ATTENTION.care) !== 0) return VERDICT_CARE;
  // Rules A39 and C7 before A36: an open record with a pending change keeps the image as the side image too.
  if ((flags & (ATTENTION.pending | ATTENTION.inError)) !== 0) return VERDICT_DISCARD;
  // Rule A35 before A36: what is incomplete stays so when the last handle is closed.
  if ((flags & ATTENTION.incomplete) !== 0) return VERDICT_INCOMPLETE;
  return (flags & ATTENTION.inUse) !== 0 ? VERDICT_WAIT : VERDICT_MERGE;
}
