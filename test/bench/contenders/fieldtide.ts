import { encodeImage } from '../../../src/client/store/stored.ts';
import type { BatchCore, BatchIndex, MergedBatch } from '../../../src/core/batch.ts';
import { VERDICTS, type CoreBuild, type PlanGroup } from '../../../src/core/core.ts';
import { loadBatchCore } from '../../../src/core/load-batch-core.ts';
import { countOf, findRow, idAt, rowBlock, splitBlock, valueAt } from '../../../src/core/row-block.ts';
import { ByteReader } from '../../../src/protocol/byte-reader.ts';
import { ByteWriter } from '../../../src/protocol/byte-writer.ts';
import { decodeEnvelope, encodeEnvelope } from '../../../src/protocol/envelope.ts';
import type { FieldValue } from '../../../src/protocol/field.ts';
import { writeImage } from '../../../src/protocol/items.ts';
import { encodeRow, isInMask, readValue } from '../../../src/protocol/row.ts';
import { NO_VERSION } from '../../../src/protocol/version.ts';
import { platformRandom } from '../../../src/shared/platform.ts';
import { memory } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/storage-adapter.ts';
import { CRM_LAYOUT } from '../crm-rows.ts';
import type { ChangeSink, FeedContender, FeedStore, HeldRecord, MergeCounts, MergeMode } from '../feed-contender.ts';
import type { FeedData, FeedGroup } from '../feed-data.ts';

const OBJECT = CRM_LAYOUT.object;
const LAYOUTS = [CRM_LAYOUT];
/** About what storage keeps in one block. */
const BLOCK_BYTES = 64 * 1024;

/** A build of the core for large batches. @throws Error where this platform does not run it. */
async function loadBatch(build: Exclude<CoreBuild, 'debug'>): Promise<BatchCore> {
  const core = await loadBatchCore({ build, random: platformRandom });
  if (core.build !== build) throw new Error(`this platform does not run the ${build} build: its ${core.build} answered`);
  return core;
}

/**
 * The core: a message's items in, row blocks out. What comes is validated. What is held is given as sorted blocks; with storage, they are
 * read from the memory adapter, and the merged ones are committed to it.
 */
export function fieldtide(build: Exclude<CoreBuild, 'debug'>, { withStorage = false } = {}): FeedContender {
  return {
    name: withStorage ? `fieldtide ${build}, storage` : `fieldtide ${build}`,
    note: withStorage ? 'reads what is held from the memory adapter, and commits what it merged' : 'validates all it reads; given sorted blocks, answers with blocks of the merged rows',
    // The twin is for where there is no WebAssembly: such devices read small pages.
    mostRecords: build === 'twin' ? 100_000 : Infinity,
    modes: ['lazy', 'masks', 'values'],
    open: async (data) => new CoreStore(await loadBatch(build), data, withStorage),
  };
}

class CoreStore implements FeedStore {
  readonly #core: BatchCore;
  readonly #withStorage: boolean;
  readonly #rows: Uint8Array;
  readonly #items: Uint8Array;
  readonly #manifest: Uint8Array;
  readonly #attention: ReadonlyMap<string, number>;
  #storage: Storage | undefined;
  #held: readonly Uint8Array[] = [];
  #put: MergedBatch['put'] = [];

  constructor(core: BatchCore, data: FeedData, withStorage: boolean) {
    this.#core = core;
    this.#withStorage = withStorage;
    this.#rows = rowsOf(data);
    this.#items = itemsOf(data);
    this.#manifest = encodeEnvelope({ groups: data.groups() });
    this.#attention = data.attention();
  }

  async load(): Promise<void> {
    this.#storage = await memory().open({ tenant: '', user: 'bench' });
    await this.#storage.commit({ putPacked: splitBlock(this.#rows, BLOCK_BYTES).map((block) => ({ object: OBJECT, block })), durability: 'relaxed' });
    if (!this.#withStorage) this.#held = await this.#storage.packed!.scan({ object: OBJECT, limitBytes: Infinity });
  }

  async merge(mode: MergeMode, onChange: ChangeSink): Promise<MergeCounts> {
    const { groups: manifest } = decodeEnvelope(this.#manifest) as { readonly groups: readonly FeedGroup[] };
    const index = this.#core.indexBatch(this.#items, LAYOUTS);
    if (!index.ok) throw new Error(`the batch was refused: ${index.status} at ${index.offset}`);
    const blocks = this.#withStorage ? await this.#storage!.packed!.readAround({ object: OBJECT, ids: index.ids(OBJECT) }) : this.#held;
    const groupOf = new Int32Array(index.count).fill(-1);
    const merged = this.#core.mergeBatch({
      items: this.#items,
      layouts: LAYOUTS,
      index,
      bases: [{ object: OBJECT, blocks }],
      attention: [{ object: OBJECT, block: attentionBlock(this.#attention) }],
      groups: manifest.map((group, number) => planGroup(group, number, index, groupOf, blocks)),
      groupOf,
      replace: 'newer',
    });
    this.#put = merged.put;
    const changedFields = mode === 'masks' ? countFields(merged) : -1;
    if (mode === 'values') handOut(index, merged, onChange);
    if (this.#withStorage) await this.settle();
    return { verdicts: countVerdicts(merged.verdicts), changedFields };
  }

  async settle(): Promise<void> {
    if (this.#put.length > 0) await this.#storage!.commit({ putPacked: this.#put, durability: 'relaxed' });
    this.#put = [];
  }

  async *records(): AsyncGenerator<HeldRecord> {
    for (const block of await this.#storage!.packed!.scan({ object: OBJECT, limitBytes: Infinity })) {
      for (let place = 0; place < countOf(block); place++) {
        const reader = new ByteReader(valueAt(block, place));
        reader.array();
        reader.skip();
        reader.skip();
        const version = reader.value() as number;
        reader.skip();
        yield { id: idAt(block, place), version, row: reader.slice() };
      }
    }
  }
}

/** What is held, as storage has it: rows in the order of their ids. */
function rowsOf(data: FeedData): Uint8Array {
  const rows = Array.from(data.rows(), ({ id, version, values }) => ({
    id,
    bytes: encodeImage({ layout: CRM_LAYOUT, version: [1, version], state: 'live', row: encodeRow(CRM_LAYOUT, values) }),
  }));
  return rowBlock(rows.sort((left, right) => (left.id < right.id ? -1 : 1)));
}

function itemsOf(data: FeedData): Uint8Array {
  const writer = new ByteWriter(1024);
  for (const { id, version, values } of data.entries()) {
    writeImage(writer, { layout: 0, id, version: [1, version], state: 'live', row: encodeRow(CRM_LAYOUT, values) });
  }
  return writer.take();
}

/** The records that need care, from what a client keeps in a Map. */
function attentionBlock(attention: ReadonlyMap<string, number>): Uint8Array {
  const rows = Array.from(attention, ([id, flags]) => ({ id, bytes: Uint8Array.of(flags) }));
  return rowBlock(rows.sort((left, right) => (left.id < right.id ? -1 : 1)));
}

function planGroup({ members, others }: FeedGroup, number: number, index: BatchIndex, groupOf: Int32Array, blocks: readonly Uint8Array[]): PlanGroup {
  for (const member of members) groupOf[member] = number;
  return {
    flags: 0,
    needs: [
      ...members.map((image) => ({ image, version: index.version(image), held: NO_VERSION })),
      ...others.map(({ id, version }) => ({ image: -1, version: [1, version] as const, held: isHeld(blocks, id) ? ([1, 10] as const) : NO_VERSION })),
    ],
  };
}

function isHeld(blocks: readonly Uint8Array[], id: string): boolean {
  let low = 0, high = blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (idAt(blocks[middle]!, countOf(blocks[middle]!) - 1) < id) low = middle + 1;
    else high = middle;
  }
  return low < blocks.length && findRow(blocks[low]!, id) >= 0;
}

function countVerdicts(verdicts: Uint8Array): number[] {
  const counts = VERDICTS.map(() => 0);
  for (const verdict of verdicts) counts[verdict]!++;
  return counts;
}

function countFields({ changes }: MergedBatch): number {
  let fields = 0;
  for (let change = 0; change < changes.count; change++) {
    for (const byte of changes.maskOf(change)) for (let bits = byte; bits !== 0; bits &= bits - 1) fields++;
  }
  return fields;
}

function handOut(index: BatchIndex, { changes }: MergedBatch, onChange: ChangeSink): void {
  for (let change = 0; change < changes.count; change++) {
    const image = changes.imageOf(change), mask = changes.maskOf(change);
    const reader = new ByteReader(index.row(image)!);
    reader.array();
    const values: Record<string, FieldValue> = {};
    for (const [position, { name, type }] of CRM_LAYOUT.fields.entries()) {
      if (isInMask(mask, position)) values[name] = readValue(reader, type);
      else reader.skip();
    }
    onChange(index.id(image), values);
  }
}
