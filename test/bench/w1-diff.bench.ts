// W1: which fields differ in 100,000 pairs of rows? The rows lie in bytes on both sides, as storage and feed have them.
import { createLayout, type Layout } from '../../src/protocol/layout.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { defineSchema } from '../../src/schema.ts';
import { layoutsOf } from '../../src/protocol/layout.ts';
import { findRealData, readAll, SchemaFromData, valuesOf, type DataRecord } from '../support/real-data.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { compare, type BenchmarkCase } from './compare.ts';
import { DIFF_CONTENDERS } from './contenders/diff.ts';
import { loadCores } from './cores.ts';
import { CRM_LAYOUT, editRecord, makeRecord } from './crm-rows.ts';
import { createDiffInput, type DiffInput } from './diff-input.ts';
import { options } from './options.ts';
import { carefulRatioOf, ratioOf, reportGoal, reportSkip, type ComparisonReport } from './report.ts';

const MEMCPY = 'copy of the same bytes';

/** One record in ten was edited, in one or two fields. */
function edited(pairs: number): DiffInput {
  const random = createSeededRandom(1);
  const before = Array.from({ length: pairs }, () => makeRecord(random));
  const after = before.map((record) => (random.next() < 0.1 ? editRecord(record, 1 + Math.floor(random.next() * 2), random) : record));
  const rowsOf = (records: typeof before): Uint8Array[] => records.map((record) => encodeRow(CRM_LAYOUT, record));
  return createDiffInput(CRM_LAYOUT, rowsOf(before), rowsOf(after));
}

/** The records that both snapshots of a real data set have, of the object with the most of them. */
async function real(folder: string): Promise<DiffInput> {
  const [first, last] = await Promise.all(['first', 'last'].map((which) => readAll<DataRecord>(`${folder}/snapshot-${which}.ndjson.gz`)));
  const made = new SchemaFromData();
  for (const { object, master, fields } of [...first!, ...last!]) made.add(object, master, Object.entries(fields));
  const layouts = layoutsOf(defineSchema({ version: 1, objects: made.objects('lookup') }));
  const later = new Map(last!.map((record) => [`${record.object}/${record.id}`, record]));
  const byObject = new Map<string, [DataRecord, DataRecord][]>();
  for (const record of first!) {
    const other = later.get(`${record.object}/${record.id}`);
    if (other !== undefined) byObject.set(record.object, [...(byObject.get(record.object) ?? []), [record, other]]);
  }
  const [object, pairs] = [...byObject].toSorted(([, left], [, right]) => right.length - left.length)[0]!;
  const layout: Layout = layouts.get(object) ?? createLayout(object, []);
  const rowsOf = (side: 0 | 1): Uint8Array[] => pairs.map((pair) => encodeRow(layout, valuesOf(pair[side])));
  return createDiffInput(layout, rowsOf(0), rowsOf(1));
}

async function run(id: string, title: string, input: DiffInput): Promise<ComparisonReport> {
  const { twin, scalar, simd } = await loadCores();
  const { layout, pairs, beforeRows, afterRows } = input;
  const byteLength = beforeRows.length + afterRows.length, copy = new Uint8Array(byteLength);
  const counts = new Map<string, number>();
  const cases: BenchmarkCase[] = [], skipped: { name: string; why: string }[] = [];
  for (const contender of DIFF_CONTENDERS.filter(({ mostPairs }) => pairs <= mostPairs)) {
    try {
      const diff = await contender.open(input);
      cases.push({ name: contender.name, run: () => counts.set(contender.name, diff()), ...(contender.note === undefined ? {} : { note: contender.note }) });
    } catch (error) {
      skipped.push({ name: contender.name, why: String(error).split('\n')[0]! });
    }
  }
  for (const core of [twin, scalar, simd]) {
    cases.push({ name: `fieldtide ${core.build}`, run: () => counts.set(core.build, countBits(core.diffBatch(layout, pairs, beforeRows, afterRows, input.ends))) });
  }
  cases.push({ name: MEMCPY, isAlwaysRun: true, run: () => (copy.set(beforeRows, 0), copy.set(afterRows, beforeRows.length)) });
  console.log(`rows of ${Math.round(beforeRows.length / pairs)} bytes`);
  const [baseline, ...others] = cases;
  const report = await compare({ id, title, items: pairs, byteLength, cases: [baseline!, ...others], skipped });
  if (new Set(counts.values()).size > 1) throw new Error(`they differ in what differs: ${JSON.stringify([...counts])}`);
  return report;
}

function countBits(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at++) for (let bits = bytes[at]!; bits !== 0; bits &= bits - 1) count++;
  return count;
}

await run('w1-10k', 'W1: which fields differ in 10,000 pairs', edited(10_000));
const many = options.size === 'small' ? null : await run('w1-100k', 'W1: which fields differ in 100,000 pairs', edited(100_000));
if (many !== null) {
  reportGoal('w1-diff', carefulRatioOf(many, 'fieldtide simd'), 'SIMD');
  // The copy is too short for others to get in its way: by the clock it would be compared with what a busy machine lets through.
  reportGoal('w1-memcpy', ratioOf(many, 'fieldtide simd', 'cpuMs', MEMCPY), 'SIMD, processor time');
}
const folder = findRealData('openstates');
if (folder === null) reportSkip('W1 on real data', 'its folder is not there');
else await run('w1-real', 'W1: which fields differ in a real data set, between its first and last state', await real(folder));
