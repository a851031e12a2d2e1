import type { SyncError, SyncErrorAction } from '../../../src/client/inbox/sync-error.ts';
import type { FieldValue } from '../../../src/schema.ts';
import type { SimulatedDevice } from '../../../src/testing/simulation/simulated-device.ts';
import type { ObjectName } from '../crm.ts';
import type { DeviceMirror } from '../oracle/device-mirror.ts';
import { isSame } from '../oracle/online-history.ts';
import { NETWORK, SAVING, type Desk } from './desk.ts';

type Resolution = Exclude<SyncErrorAction, 'export'>;

/** What may be told of a sync error that went, or became another one, meanwhile. */
const RESOLVING = [...NETWORK, ...SAVING, 'SYNC_ERROR_UNKNOWN', 'SYNC_ERROR_ACTION_UNAVAILABLE', 'FIELD_REQUIRED'] as const;

/** Looks at the list of sync errors, and does something about one of them. */
export function resolveOne(desk: Desk, device: SimulatedDevice, only?: Resolution): void {
  const engine = device.engine!;
  const mirror = desk.mirror(device);
  const done = engine.listSyncErrors().then(async (errors) => {
    for (const error of errors) checkShown(desk, device, mirror, error);
    if (errors.length === 0) return;
    const error = desk.random.pick(errors);
    const action = only !== undefined && error.actions.includes(only) ? only : desk.random.pick(error.actions);
    if (action === 'export') return void (await engine.exportEntries([error.id]));
    const values = action === 'fix' ? fixOf(desk, device, error) : {};
    const end = desk.world.oracle.intend(device.name, { kind: 'resolve', action, entry: error.id, values });
    await engine.resolve(error.id, action, values).finally(end);
  });
  desk.expect(device, done, RESOLVING);
}

/** Resolves everything in one way. */
export function resolveAll(desk: Desk, device: SimulatedDevice): void {
  const action: Resolution = desk.random.pick(['undo', 'retry', 'keepMine']);
  const end = desk.world.oracle.intend(device.name, { kind: 'resolve', action, entry: 'all' });
  const done = device.engine!.resolveAll('all', action).then((outcomes) => {
    for (const outcome of outcomes) {
      if (outcome.kind === 'failed' && !isExpected(outcome.fault.code)) desk.world.oracle.fail('unexpected-fault', `${device.name} cannot ${action} ${outcome.syncError}: ${outcome.fault.code} ${outcome.fault.message}`);
    }
  });
  desk.expect(device, done.finally(end), RESOLVING);
}

function isExpected(code: string): boolean {
  return [...RESOLVING, 'STORAGE_FULL', 'STORAGE_FAILED', 'STORAGE_CLOSED', 'CLIENT_CLOSED', 'CLIENT_TAKEN_OVER'].includes(code);
}

/** Reads a notice, and says so. */
export function acknowledge(desk: Desk, device: SimulatedDevice): void {
  const engine = device.engine!;
  const done = engine.listNotices().then(async (notices) => {
    const unread = notices.filter(({ acknowledgedAt }) => acknowledgedAt === null);
    if (unread.length > 0) await engine.acknowledgeNotice(desk.random.pick(unread).id);
  });
  desk.expect(device, done, ['NOTICE_UNKNOWN']);
}

/** Other values for the fields in the way, and perhaps for one more. */
function fixOf(desk: Desk, device: SimulatedDevice, { object, fields, op }: SyncError): Record<string, FieldValue> {
  if (op === 'remove') return {};
  const causes = fields.filter(({ isCause }) => isCause).map(({ field }) => field);
  const names = [...causes, ...(desk.random.chance(0.3) || causes.length === 0 ? [desk.pickField(object as ObjectName)] : [])];
  return Object.fromEntries(names.map((name) => [name, desk.value(device.owner.user, device, object as ObjectName, name)]));
}

/** A sync error shows what the user entered. */
function checkShown(desk: Desk, device: SimulatedDevice, mirror: DeviceMirror, { id, members }: SyncError): void {
  const save = desk.mirror(device) === mirror ? mirror.queue.save(id) : null;
  if (save === null || save.place !== 'failed') return;
  for (const { object, recordId, fields } of members) {
    const entered = save.members.find((member) => member.object === object && member.id === recordId)?.fields;
    for (const { field, mine } of fields) {
      if (!isSame(mine, entered?.get(field)?.next)) desk.world.oracle.fail('undo', `the sync error ${id} of ${device.name} shows ${field} as ${JSON.stringify(mine)}, and ${JSON.stringify(entered?.get(field)?.next)} was entered`);
    }
  }
}
