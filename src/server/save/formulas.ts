import { bytesEqual } from '../../shared/bytes.ts';
import { keyText } from '../store/server-store.ts';
import { decodeRecord, patchRow } from './hook-runner.ts';
import { mastersOf } from './affected.ts';
import type { SaveInProgress } from './save-members.ts';
import { stampRow } from './stamp-row.ts';
import type { WorkingRecord } from './working-set.ts';

/** Computes the formulas of what was written and of its masters, children before masters, so that roll-ups add up. */
export async function runFormulas(save: SaveInProgress): Promise<void> {
  const due = new Map<string, WorkingRecord>();
  for (const record of save.working.changed()) {
    due.set(keyText(record), record);
    for (const master of await mastersOf(save.working, record)) due.set(keyText(master), master);
  }
  const deepestFirst = [...due.values()].sort((left, right) => right.type.depth - left.type.depth);
  for (const record of deepestFirst) await runFormula(save, record);
}

async function runFormula(save: SaveInProgress, key: WorkingRecord): Promise<void> {
  const { type, id, object } = key;
  const formulas = save.hooks.hooksOf(object)?.formulas;
  const current = await save.working.get(key);
  if (formulas === undefined || !current.isLive || current.row === null) return;
  const { row } = current;
  const context = { ...save.hooks.base, object, record: decodeRecord(type, id, row), children: await save.hooks.childrenOf(type, id) };
  const computed = await save.hooks.call('formulas', object, async () => patchRow(type, row, (await formulas(context)) ?? {}));
  if (bytesEqual(computed, row)) return;
  const changed = save.working.put(current, { row: computed, isLive: true });
  save.working.put(changed, { row: await stampRow(save, changed, false), isLive: true });
}
