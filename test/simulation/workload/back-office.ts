import { isFault } from '../../../src/shared/fault.ts';
import type { OnlineChange } from '../../../src/server/index.ts';
import { GROUPS, submittedOf, type HeaderName, type ObjectName } from '../crm.ts';
import { isSubmitted } from '../oracle/online-history.ts';
import { idOf, type Desk } from './desk.ts';

/** The back office edits, creates or deletes a record; devices do not hear of it by the feed. */
export function editOnline(desk: Desk): void {
  saveOnline(desk, onlineChange(desk));
}

/** An admin opens a submitted record again, or submits one in somebody's place. */
export function unlock(desk: Desk): void {
  const header = desk.random.pick(Object.keys(GROUPS) as HeaderName[]);
  const { history } = desk.world.oracle;
  const { field, values, reopenAs = null } = submittedOf(header)!;
  const submitted = [...history.keys()].filter((key) => key.startsWith(`${header}/`) && !history.current(key)!.isDeleted && isSubmitted(history.current(key)!));
  const isUnlock = submitted.length > 0 && desk.random.chance(0.8);
  const key = isUnlock ? desk.random.pick(submitted) : desk.pickLive(header);
  if (key !== null) saveOnline(desk, { op: 'update', object: header, id: idOf(key), values: { [field]: isUnlock ? reopenAs : values[0]! } });
}

export function onlineCreate(desk: Desk, object: ObjectName): OnlineChange | null {
  const user = desk.random.pick(desk.world.devices).owner.user;
  const values = desk.newValues(user, null, object);
  return values && { op: 'create', object, values };
}

function onlineChange(desk: Desk): OnlineChange | null {
  const object = desk.pickObject();
  const key = desk.pickLive(object);
  if (key === null || desk.random.chance(0.15)) return onlineCreate(desk, object);
  const id = idOf(key);
  if (desk.random.chance(0.1)) return { op: 'remove', object, id };
  const field = desk.pickField(object);
  return { op: 'update', object, id, values: { [field]: desk.value('u1', null, object, field) } };
}

function saveOnline(desk: Desk, change: OnlineChange | null): void {
  if (change === null) return;
  const { server, oracle } = desk.world;
  server.online.save([change]).catch((thrown: unknown) => {
    if (!isFault(thrown, 'STORAGE_FAILED')) oracle.fail('unexpected-fault', `the back office met ${String(thrown)}`);
  });
}
