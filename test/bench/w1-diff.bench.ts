// W1: which fields differ in 100,000 pairs of rows? The rows lie in bytes on both sides, as storage and feed have them.
import { Packr, unpackMultiple } from 'msgpackr';
import { createSeededRandom } from '../support/seeded-random.ts';
import { compare } from './compare.ts';
import { loadCores } from './cores.ts';
import { CRM_LAYOUT, editRecord, joinRows, makeRecord } from './crm-rows.ts';

const PAIRS = 100_000;
const random = createSeededRandom(1);
const before = Array.from({ length: PAIRS }, () => makeRecord(random));
// One record in ten was edited, in one or two fields.
const after = before.map((record) => (random.next() < 0.1 ? editRecord(record, 1 + Math.floor(random.next() * 2), random) : record));
const beforeRows = joinRows(before), afterRows = joinRows(after);
const packr = new Packr({ useRecords: false, variableMapSize: true });
const beforeMaps = Buffer.concat(before.map((record) => packr.pack(record)));
const afterMaps = Buffer.concat(after.map((record) => packr.pack(record)));
const copy = new Uint8Array(beforeRows.length + afterRows.length);

console.log(`rows of ${Math.round(beforeRows.length / PAIRS)} bytes, maps of ${Math.round(beforeMaps.length / PAIRS)} bytes a record`);
const { twin, scalar, simd } = await loadCores();
const diff = (core: typeof twin) => () => core.diffBatch(CRM_LAYOUT, PAIRS, beforeRows, afterRows);

await compare({
  title: `W1: diff of ${PAIRS} row pairs`,
  items: PAIRS,
  byteLength: beforeRows.length + afterRows.length,
  cases: [
    { name: 'msgpackr rows, then compare', run: () => diffDecoded(beforeRows, afterRows) },
    { name: 'msgpackr maps, then compare', run: () => diffDecoded(beforeMaps, afterMaps) },
    { name: 'twin', run: diff(twin) },
    { name: 'scalar', run: diff(scalar) },
    { name: 'simd', run: diff(simd) },
    { name: 'memcpy of the rows', run: () => (copy.set(beforeRows, 0), copy.set(afterRows, beforeRows.length)) },
  ],
});

/** What a program without the core does: decode both, compare value by value. */
function diffDecoded(left: Uint8Array, right: Uint8Array): string[][] {
  const lefts = unpackMultiple(left) as Record<string, unknown>[];
  const rights = unpackMultiple(right) as Record<string, unknown>[];
  return lefts.map((record, index) => {
    const other = rights[index]!;
    const differing: string[] = [];
    for (const name in record) if (!isEqual(record[name], other[name])) differing.push(name);
    return differing;
  });
}

function isEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  return Array.isArray(left) && Array.isArray(right) && left.length === right.length && left.every((member, index) => member === right[index]);
}
