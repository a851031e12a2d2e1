import { countOf, idAt, isRowBlock, rowBlock, valueAt, type PackedRows } from '../../core/row-block.ts';
import { utf8 } from '../../shared/bytes.ts';
import type { Commit, PackedStorage, Storage } from '../../storage/storage-adapter.ts';
import { assertEqual, assertThat } from '../assert.ts';
import { createGenerator } from './random-steps.ts';

// Histories of packed and single writes, against a plain map.

/** The rows of one object as they should be, in id order. */
export type Rows = ReadonlyMap<string, string>;

/** Packs rows of texts. */
export function packed(rows: Iterable<readonly [id: string, text: string]>, object = 'note'): PackedRows {
  return { object, block: rowBlock(sorted(rows).map(([id, text]) => ({ id, bytes: utf8(text) }))) };
}

/** What row blocks hold, in their order; it throws when they are no row blocks, empty, or not in order. */
export function rowsIn(blocks: readonly Uint8Array[]): (readonly [id: string, text: string])[] {
  const rows: (readonly [string, string])[] = [];
  for (const block of blocks) {
    assertThat(isRowBlock(block) && countOf(block) > 0, 'what is read packed are row blocks with rows');
    for (let index = 0; index < countOf(block); index++) rows.push([idAt(block, index), new TextDecoder().decode(valueAt(block, index))]);
  }
  assertThat(rows.every(([id], index) => index === 0 || rows[index - 1]![0] < id), 'row blocks are disjoint and in id order');
  return rows;
}

/** Reads all of an object packed, so many bytes at a time. */
export async function scanPacked(storage: Storage, limitBytes: number, object = 'note'): Promise<(readonly [id: string, text: string])[]> {
  const rows: (readonly [string, string])[] = [];
  for (;;) {
    const blocks = await reads(storage).scan({ object, limitBytes, ...(rows.length === 0 ? {} : { after: rows.at(-1)![0] }) });
    if (blocks.length === 0) return rows;
    rows.push(...rowsIn(blocks));
  }
}

/** The packed reads of a storage that must have them. */
export function reads(storage: Storage): PackedStorage {
  if (storage.packed === undefined) throw new Error('the suite was told that the adapter reads rows packed, and its storage does not');
  return storage.packed;
}

/** Puts random commits, large and small, to two open stores of one place in turn, and compares them with a map on the way. */
export async function runPackedHistory(stores: readonly Storage[], steps: number, seed: number): Promise<void> {
  const random = createGenerator(seed);
  const model = new Map<string, string>();
  for (let step = 1; step <= steps; step++) {
    const storage = stores[random(stores.length)]!;
    const commit = randomCommit(random, step);
    assertEqual(await storage.commit(commit), 'done', `commit ${step} is done`);
    apply(model, commit);
    if (step % 5 === 0) await compare(stores[random(stores.length)]!, model, random, step);
  }
}

function apply(model: Map<string, string>, { putPacked = [], putRecords = [], removeRecords = [] }: Commit): void {
  for (const { id } of removeRecords) model.delete(id);
  for (const { block } of putPacked) for (const [id, text] of rowsIn(countOf(block) === 0 ? [] : [block])) model.set(id, text);
  for (const { id, bytes } of putRecords) model.set(id, new TextDecoder().decode(bytes));
}

const IDS = 4_000;

function nameOf(place: number): string {
  // A few that UTF-8 and UTF-16 order differently.
  return place % 97 === 0 ? `id-${place % 2 === 0 ? '\uffff' : '😀'}${place}` : `id-${String(place).padStart(6, '0')}`;
}

function randomCommit(random: (below: number) => number, step: number): Commit {
  const text = (id: string) => `${id} of ${step} `.repeat(1 + random(12));
  const scattered = (count: number) => Array.from({ length: count }, () => nameOf(random(IDS)));
  const inOneGo = (count: number) => {
    const first = random(IDS);
    return Array.from({ length: count }, (_, index) => nameOf(first + index));
  };
  const some = (most: number) => (random(2) === 0 ? scattered(random(most)) : inOneGo(random(most)));
  const rows = (ids: readonly string[]) => new Map(ids.map((id) => [id, text(id)]));
  const size = [3, 40, 400, 1_500][random(4)]!;
  return {
    durability: random(3) === 0 ? 'strict' : 'relaxed',
    putPacked: random(2) === 0 ? [packed(rows(some(size))), ...(random(5) === 0 ? [packed(rows(some(20)))] : [])] : [],
    putRecords: [...rows(some(random(4) === 0 ? size : 5))].map(([id, bytes]) => ({ object: 'note', id, bytes: utf8(bytes) })),
    removeRecords: some(random(4) === 0 ? size : 5).map((id) => ({ object: 'note', id })),
  };
}

async function compare(storage: Storage, model: Rows, random: (below: number) => number, step: number): Promise<void> {
  const all = sorted(model);
  assertEqual(await scanPacked(storage, 1 + random(200_000)), all, `what is read packed after commit ${step}`);
  const after = nameOf(random(IDS)), upTo = nameOf(random(IDS)), limit = 1 + random(500);
  assertEqual(rowsIn(await reads(storage).scan({ object: 'note', after, upTo, limitBytes: Infinity })), all.filter(([id]) => id > after && id <= upTo), `the rows in a range after commit ${step}`);
  const page = await storage.scanRecords({ object: 'note', after, limit });
  assertEqual(page.map(({ id, bytes }) => [id, new TextDecoder().decode(bytes)]), all.filter(([id]) => id > after).slice(0, limit), `a page of rows after commit ${step}`);
  const asked = [...new Set(Array.from({ length: 1 + random(300) }, () => nameOf(random(IDS))))];
  const singly = await storage.readRecords(asked.map((id) => ({ object: 'note', id })));
  assertEqual(singly.map((bytes) => bytes && new TextDecoder().decode(bytes)), asked.map((id) => model.get(id)), `rows by their ids after commit ${step}`);
  const around = rowsIn(await reads(storage).readAround({ object: 'note', ids: packed(asked.map((id) => [id, ''] as const)).block }));
  assertThat(around.every(([id, text]) => model.get(id) === text), `every row read around ids is as it was written, after commit ${step}`);
  const found = new Set(around.map(([id]) => id));
  assertThat(asked.every((id) => found.has(id) || !model.has(id)), `every row that was asked for is among them, after commit ${step}`);
}

/** Rows in id order. */
export function sorted(rows: Iterable<readonly [id: string, text: string]>): (readonly [id: string, text: string])[] {
  return [...rows].sort(([left], [right]) => (left < right ? -1 : 1));
}
