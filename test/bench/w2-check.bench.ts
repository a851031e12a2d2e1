// W2: which fields of 100,000 edits may be written (rule A19)? Edits and current rows lie in bytes, as message and storage have them.
import { unpackMultiple } from 'msgpackr';
import { createMask, joinRow, maskPositions, setInMask, splitRow } from '../../src/protocol/row.ts';
import { bytesEqual, concatBytes } from '../../src/shared/bytes.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { compare } from './compare.ts';
import { loadCores } from './cores.ts';
import { CRM_LAYOUT, editRecord, joinRows, makeRecord } from './crm-rows.ts';
import { carefulRatioOf, reportGoal } from './report.ts';

const EDITS = 100_000;
const random = createSeededRandom(2);
const masks: Uint8Array[] = [], previous: Uint8Array[] = [], next: Uint8Array[] = [], current: Uint8Array[] = [];
for (let edit = 0; edit < EDITS; edit++) {
  const seen = makeRecord(random);
  const seenValues = splitRow(joinRows([seen])), newValues = splitRow(joinRows([editRecord(seen, 3, random)]));
  const mask = createMask(CRM_LAYOUT);
  for (const [field, value] of seenValues.entries()) if (!bytesEqual(value, newValues[field]!)) setInMask(mask, field);
  const edited = maskPositions(mask);
  masks.push(mask);
  previous.push(joinRow(edited.map((field) => seenValues[field]!)));
  next.push(joinRow(edited.map((field) => newValues[field]!)));
  // One record in ten was changed by somebody else in the meantime.
  current.push(joinRows([random.next() < 0.1 ? editRecord(seen, 4, random) : seen]));
}
const edits = { mask: concatBytes(masks), previous: concatBytes(previous), next: concatBytes(next) };
const rows = concatBytes(current);
const parts = [edits.mask, edits.previous, edits.next, rows];
const byteLength = parts.reduce((sum, part) => sum + part.length, 0);
const copy = new Uint8Array(byteLength);

const { twin, scalar, simd } = await loadCores();
const check = (core: typeof twin) => () => core.checkBatch(CRM_LAYOUT, EDITS, edits, rows);

const report = await compare({
  id: 'w2',
  title: `W2: check of ${EDITS} edits`,
  items: EDITS,
  byteLength,
  cases: [
    { name: 'decoded with msgpackr, then compared', run: checkDecoded },
    { name: 'fieldtide twin', run: check(twin) },
    { name: 'fieldtide scalar', run: check(scalar) },
    { name: 'fieldtide simd', run: check(simd) },
    { name: 'copy of the same bytes', isAlwaysRun: true, run: copyParts },
  ],
});

if (report.measured.some(({ name }) => name === 'fieldtide simd')) reportGoal('w2-check', carefulRatioOf(report, 'fieldtide simd'), 'SIMD');

/** What a program without the core does: decode edits and rows, compare value by value. */
function checkDecoded(): { conflicts: number[]; writes: number[] }[] {
  const previousValues = unpackMultiple(edits.previous) as unknown[][];
  const nextValues = unpackMultiple(edits.next) as unknown[][];
  const rowValues = unpackMultiple(rows) as unknown[][];
  return rowValues.map((row, edit) => {
    const conflicts: number[] = [], writes: number[] = [];
    for (const [slot, field] of maskPositions(masks[edit]!).entries()) {
      if (isEqual(row[field], nextValues[edit]![slot])) continue;
      (isEqual(row[field], previousValues[edit]![slot]) ? writes : conflicts).push(field);
    }
    return { conflicts, writes };
  });
}

function isEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  return Array.isArray(left) && Array.isArray(right) && left.length === right.length && left.every((member, index) => member === right[index]);
}

function copyParts(): void {
  let at = 0;
  for (const part of parts) {
    copy.set(part, at);
    at += part.length;
  }
}
