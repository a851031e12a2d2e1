import { encodeRow } from '../../protocol/row.ts';
import type { Schema } from '../../protocol/schema.ts';
import { bytesEqual } from '../../shared/bytes.ts';
import { SyncFault } from '../../shared/fault.ts';
import type { AnyObjectHooks, HookRefusal, TriggerWrites } from '../save-hooks.ts';
import { isStorableId } from '../store/server-store.ts';
import { hookRecord, patchRow } from './hook-runner.ts';
import type { SaveInProgress } from './save-members.ts';
import { stampRow } from './stamp-row.ts';
import type { WorkingRecord } from './working-set.ts';

/** Runs one `afterSave`. */
export async function runTrigger(
  save: SaveInProgress,
  afterSave: NonNullable<AnyObjectHooks['afterSave']>,
  record: WorkingRecord,
  before: WorkingRecord,
  op: 'create' | 'update' | 'remove',
): Promise<HookRefusal | undefined | void> {
  const { object, id } = record;
  const context = { ...save.hooks.base, object, id, op, previous: hookRecord(before), next: hookRecord(record), write: createWrites(save) };
  return save.hooks.call('afterSave', object, () => afterSave(context));
}

/** Writes of triggers: no comparison and no hooks, the types are still checked. */
function createWrites(save: SaveInProgress): TriggerWrites<Schema> {
  const { working, schema } = save;

  function typeOf(object: string) {
    const type = schema.objects.get(object);
    if (type === undefined) throw new SyncFault('OBJECT_UNKNOWN', `a hook writes ${object}, which is no object`);
    return type;
  }

  async function liveRecord(object: string, id: string): Promise<WorkingRecord & { row: Uint8Array }> {
    const record = await working.get({ object: typeOf(object).name, id });
    if (!record.isLive || record.row === null) throw new SyncFault('RECORD_MISSING', `a hook writes ${object} ${id}, which does not exist`);
    return { ...record, row: record.row };
  }

  return {
    async create(object, { id = save.createRecordId(), ...values }) {
      const type = typeOf(object);
      if (!isStorableId(id)) throw new SyncFault('ID_INVALID', `a hook creates ${object} under an id that cannot be stored`);
      const record = await working.get({ object, id });
      if (record.isLive) throw new SyncFault('RECORD_EXISTS', `a hook creates ${object} ${id}, which exists`);
      const created = working.put(record, { row: patchRow(type, encodeRow(type.layout, {}), values), isLive: true });
      working.put(created, { row: await stampRow(save, created, true), isLive: true });
      return id;
    },
    async update(object, id, values) {
      const record = await liveRecord(object, id);
      const row = patchRow(record.type, record.row, values);
      if (bytesEqual(row, record.row)) return;
      const updated = working.put(record, { row, isLive: true });
      working.put(updated, { row: await stampRow(save, updated, false), isLive: true });
    },
    async remove(object, id) {
      working.put(await liveRecord(object, id), { isLive: false });
    },
  };
}
