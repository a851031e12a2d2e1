import { bytesEqual } from '../../shared/bytes.ts';
import { keyText } from '../store/server-store.ts';
import { decodeRecord, patchRow } from './hook-runner.ts';
import { mastersOf } from './affected.ts';
import type { SaveInProgress } from './save-members.ts';
import { stampRow } from './stamp-row.ts';
import { parentOf, type WorkingRecord } from './working-set.ts';

/** Computes the formulas of what was written and of its masters, children before masters, so that roll-ups add up. */
export async function runFormulas(save: SaveInProgress): Promise<void> {
  const due = new Map<string, WorkingRecord>();
  for (const record of save.working.changed()) {
    due.set(keyText(record), record);
    for (const master of await mastersOf(save.working, record)) due.set(keyText(master), master);
  }
  for (const record of await childrenFirst(save, [...due.values()])) await runFormula(save, record);
}

/** Orders records by how many masters are above each: by records and not by objects, since an object may be its own master. */
async function childrenFirst({ working }: SaveInProgress, records: readonly WorkingRecord[]): Promise<WorkingRecord[]> {
  const levels = new Map<WorkingRecord, number>();
  for (const record of records) levels.set(record, (await mastersOf(working, record, [parentOf])).length);
  return records.toSorted((left, right) => levels.get(right)! - levels.get(left)!);
}

async function runFormula(save: SaveInProgress, key: WorkingRecord): Promise<void> {
  const { type, id, object } = key;
  const formulas = save.hooks.hooksOf(object)?.formulas;
  const current = await save.working.get(key);
  if (formulas === undefined || !current.isLive || current.row === null) return;
  const { row } = current;
  const context = { ...save.hooks.base, object, record: decodeRecord(type, id, row), children: await save.hooks.childrenOf(type, id) };
  const patch = await save.hooks.call('formulas', object, () => formulas(context));
  const computed = await save.hooks.call('formulas', object, () => patchRow(type, row, patch ?? {}));
  if (bytesEqual(computed, row)) return;
  const changed = save.working.put(current, { row: computed, isLive: true });
  save.working.put(changed, { row: await stampRow(save, changed, false), isLive: true });
}
