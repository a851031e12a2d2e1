import { keyText, type RecordKey } from '../store/server-store.ts';
import { parentBefore, parentOf, type WorkingRecord, type WorkingSet } from './working-set.ts';

/** The masters of a record at all levels: those it had before the save included, unless told otherwise. */
export async function mastersOf(
  working: WorkingSet,
  record: WorkingRecord,
  parentsOf: readonly ((record: WorkingRecord) => string | null)[] = [parentOf, parentBefore],
): Promise<WorkingRecord[]> {
  const found = new Map<string, WorkingRecord>([[keyText(record), record]]);
  for (let level = [record]; level.length > 0; ) {
    const above: WorkingRecord[] = [];
    for (const child of level) {
      for (const id of new Set(parentsOf.map((parent) => parent(child)))) {
        if (id === null) continue;
        const master = await working.get({ object: child.type.parent!.target, id });
        if (master.row === null || found.has(keyText(master))) continue;
        found.set(keyText(master), master);
        above.push(master);
      }
    }
    level = above;
  }
  return [...found.values()].slice(1);
}

/** Everything that a save concerns (rule A30): its members, what it wrote besides, and the masters of all of them. */
export async function collectAffected(working: WorkingSet, members: readonly RecordKey[]): Promise<WorkingRecord[]> {
  const affected = new Map<string, WorkingRecord>();
  const add = (record: WorkingRecord): void => void affected.set(keyText(record), record);
  const records: WorkingRecord[] = [];
  for (const member of members) records.push(await working.get(member));
  for (const record of [...records, ...working.changed()]) {
    if (record.row === null) continue;
    add(record);
    for (const master of await mastersOf(working, record)) add(master);
  }
  return [...affected.values()];
}
