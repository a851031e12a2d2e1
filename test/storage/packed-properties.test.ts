import 'fake-indexeddb/auto';
import fc from 'fast-check';
import { IDBFactory } from 'fake-indexeddb';
import { describe, expect, test } from 'vitest';
import { countOf, idAt, isRowBlock, rowBlock, valueAt } from '../../src/core/row-block.ts';
import { utf8 } from '../../src/shared/bytes.ts';
import { IdIndex } from '../../src/storage/id-index.ts';
import { indexedDb } from '../../src/storage/indexeddb.ts';
import { memory } from '../../src/storage/memory.ts';
import { RowHeap } from '../../src/storage/row-heap.ts';
import type { Storage } from '../../src/storage/storage-adapter.ts';
import { faultyStorage } from '../../src/testing/faulty-storage.ts';

// Generated histories against a plain map: what fails here shrinks to the few commits that matter.

const OWNER = { tenant: 't', user: 'u' };

/** Ids that share beginnings, at the edges where the orders of UTF-8 and UTF-16 part; so many of each kind that commits meet. */
const id = fc.oneof(fc.integer({ min: 0, max: 900 }).map((place) => `id-${String(place).padStart(4, '0')}`), fc.constantFrom('', 'id', 'id-\ue000', 'id-\uffff', 'id-😀', 'ü'));
const range = fc.record({ first: fc.integer({ min: 0, max: 900 }), count: fc.integer({ min: 0, max: 900 }), step: fc.integer({ min: 1, max: 7 }) });
const ids = fc.oneof(
  fc.array(id, { maxLength: 12 }),
  range.map(({ first, count, step }) => Array.from({ length: count }, (_, index) => `id-${String((first + index * step) % 901).padStart(4, '0')}`)),
);
const step = fc.record({ packed: ids, single: ids, removed: ids, isStrict: fc.boolean(), size: fc.constantFrom(0, 20, 300) });
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function packed(rows: ReadonlyMap<string, string>): Uint8Array {
  return rowBlock([...rows].sort(([left], [right]) => (left < right ? -1 : 1)).map(([name, text]) => ({ id: name, bytes: utf8(text) })));
}

function readRows(blocks: readonly Uint8Array[]): [id: string, text: string][] {
  return blocks.flatMap((block) => {
    expect(isRowBlock(block)).toBe(true);
    return Array.from({ length: countOf(block) }, (_, row): [string, string] => [idAt(block, row), new TextDecoder().decode(valueAt(block, row))]);
  });
}

function sorted(rows: ReadonlyMap<string, string>): [id: string, text: string][] {
  return [...rows].sort(([left], [right]) => (left < right ? -1 : 1));
}

/** Does a step in a storage and in a map. */
async function take(storage: Storage, model: Map<string, string>, { packed: inBlocks, single, removed, isStrict, size }: Step, number: number): Promise<void> {
  const text = (name: string, how: string) => `${name} ${how} ${number}`.padEnd(size, '.');
  const block = new Map(inBlocks.map((name) => [name, text(name, 'packed')]));
  await storage.commit({
    durability: isStrict ? 'strict' : 'relaxed',
    putPacked: [{ object: 'note', block: packed(block) }],
    putRecords: single.map((name) => ({ object: 'note', id: name, bytes: utf8(text(name, 'single')) })),
    removeRecords: removed.map((name) => ({ object: 'note', id: name })),
  });
  for (const name of removed) model.delete(name);
  for (const [name, value] of block) model.set(name, value);
  for (const name of single) model.set(name, text(name, 'single'));
}

async function expectSame(storage: Storage, model: ReadonlyMap<string, string>, asked: readonly string[]): Promise<void> {
  expect(readRows(await storage.packed!.scan({ object: 'note', limitBytes: Infinity }))).toEqual(sorted(model));
  expect((await storage.scanRecords({ object: 'note', limit: Infinity })).map((row) => [row.id, new TextDecoder().decode(row.bytes)])).toEqual(sorted(model));
  const around = new Map(readRows(await storage.packed!.readAround({ object: 'note', ids: packed(new Map(asked.map((name) => [name, '']))) })));
  const rows = await storage.readRecords(asked.map((name) => ({ object: 'note', id: name })));
  expect(rows.map((bytes) => bytes && new TextDecoder().decode(bytes))).toEqual(asked.map((name) => model.get(name)));
  for (const name of asked) expect(around.get(name)).toBe(model.get(name));
}

describe.each([
  ['memory', () => memory(), 60],
  ['memory with faults', () => faultyStorage(memory()), 20],
  ['IndexedDB (fake-indexeddb)', () => indexedDb({ name: 'x', factory: new IDBFactory() }), 40],
] as const)('packed and single writes in %s', (_, createAdapter, numRuns) => {
  test('leave what they would leave in a map', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), fc.uniqueArray(id, { maxLength: 40 }), async (steps, asked) => {
        const adapter = createAdapter();
        const stores = [await adapter.open(OWNER), await adapter.open(OWNER)];
        const model = new Map<string, string>();
        for (const [number, each] of steps.entries()) await take(stores[number % 2]!, model, each, number);
        await expectSame(stores[0]!, model, asked);
        for (const storage of stores) await storage.close();
      }),
      { numRuns },
    );
  });
});

describe('a heap of rows', () => {
  test('holds what a map holds, through blocks that are put together when they have become many or mostly dead', () => {
    const heap = new RowHeap();
    const model = new Map<string, string>();
    for (let round = 0; round < 700; round++) {
      const rows = new Map(Array.from({ length: 12 }, (_, index) => [`id-${String((round * 31 + index * 97) % 1_000)}`, `row of ${round}`]));
      heap.add(packed(rows));
      for (const [name, text] of rows) model.set(name, text);
      const gone = `id-${String((round * 7) % 1_000)}`;
      heap.remove(gone);
      model.delete(gone);
      if (round % 50 !== 0) continue;
      expect(heap.count).toBe(model.size);
      expect(readRows(heap.scan({ limitBytes: Infinity }, packed(new Map([['other', 'besides']]))))).toEqual(sorted(new Map([...model, ['other', 'besides']])));
    }
    expect([...heap.rows('id-5')].map(([block, row]) => idAt(block, row))).toEqual(sorted(model).map(([name]) => name).filter((name) => name > 'id-5'));
    for (const name of model.keys()) expect(new TextDecoder().decode(heap.get(name))).toBe(model.get(name));
  });

  test('scans about as many bytes at once as it is asked for', () => {
    const heap = new RowHeap();
    const rows = new Map(Array.from({ length: 5_000 }, (_, index) => [`id-${String(index).padStart(5, '0')}`, 'x'.repeat(200)]));
    heap.add(packed(rows));
    const [first, ...more] = heap.scan({ limitBytes: 10_000 }, packed(new Map()));
    expect(more).toEqual([]);
    expect(first!.length).toBeGreaterThan(10_000);
    expect(first!.length).toBeLessThan(12_000);
    expect(heap.scan({ limitBytes: Infinity }, packed(new Map())).length).toBeGreaterThan(3);
  });
});

describe('an index of ids', () => {
  test('finds what a map finds, as ids come, move and go', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.constantFrom('put', 'remove')), { maxLength: 2_000 }), (steps) => {
        const block = packed(new Map(Array.from({ length: 61 }, (_, place) => [`id-${String(place).padStart(2, '0')}`, ''])));
        const index = new IdIndex(() => block);
        const model = new Map<number, number>();
        for (const [number, [place, what]] of steps.entries()) {
          const bytes = utf8(`id-${String(place).padStart(2, '0')}`);
          if (what === 'put') expect(index.put(bytes, 0, bytes.length, number, place)).toBe(model.has(place));
          else expect(index.remove(bytes, 0, bytes.length)).toBe(model.has(place));
          if (what === 'put') model.set(place, number);
          else model.delete(place);
        }
        expect(index.count).toBe(model.size);
        for (let place = 0; place <= 60; place++) {
          const bytes = utf8(`id-${String(place).padStart(2, '0')}`);
          expect(index.find(bytes, 0, bytes.length) ? [index.block, index.row] : null).toEqual(model.has(place) ? [model.get(place), place] : null);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('finds ids whose places in its table run into each other', () => {
    const names = Array.from({ length: 20_000 }, (_, place) => `id-${place}`);
    const block = packed(new Map(names.map((name) => [name, ''])));
    const index = new IdIndex(() => block);
    const find = (row: number) => {
      const bytes = utf8(idAt(block, row));
      return index.find(bytes, 0, bytes.length) && index.row === row;
    };
    for (let row = 0; row < names.length; row++) {
      const bytes = utf8(idAt(block, row));
      index.put(bytes, 0, bytes.length, 0, row);
    }
    for (let row = 0; row < names.length; row += 3) {
      const bytes = utf8(idAt(block, row));
      index.remove(bytes, 0, bytes.length);
    }
    for (let row = 0; row < names.length; row++) expect(find(row)).toBe(row % 3 !== 0);
  });
});
