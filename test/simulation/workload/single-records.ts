import type { SimulatedDevice } from '../../../src/testing/simulation/simulated-device.ts';
import type { SaveReceipt } from '../../../src/client/engine.ts';
import { idOf, objectOf, type Desk, type Saved } from './desk.ts';

function savedOne({ entry, id }: SaveReceipt): Saved {
  return { entry, ids: [id] };
}

/** Edits one record: now and then named by the server's Record ID. */
export function update(desk: Desk, device: SimulatedDevice): void {
  const object = desk.pickObject();
  const key = desk.pickShown(device, object);
  if (key === null) return;
  const values = desk.newEdit(device, object);
  const id = idOf(key);
  const serverId = desk.random.chance(0.05) ? desk.mirror(device).view(key)?.serverId : null;
  desk.save(device, [{ op: 'update', object, id, values }], (engine) => engine.update(object, typeof serverId === 'string' ? serverId : id, values).then(savedOne));
}

export function create(desk: Desk, device: SimulatedDevice): void {
  const object = desk.pickObject();
  const values = desk.newValues(device.owner.user, device, object);
  if (values !== null) desk.save(device, [{ op: 'create', object, id: null, values }], (engine) => engine.create(object, values).then(savedOne));
}

/** Deletes a record; one that leads others in a group takes them with it. */
export function remove(desk: Desk, device: SimulatedDevice): void {
  const object = desk.pickObject();
  const key = desk.pickShown(device, object);
  if (key !== null) desk.save(device, [{ op: 'remove', object, id: idOf(key), values: {} }], (engine) => engine.remove(object, idOf(key)).then(savedOne));
}

/** Creates a record under an id that was in use: taken back, or a host that makes its own ids. */
export function recreate(desk: Desk, device: SimulatedDevice): void {
  const gone = [...desk.world.oracle.history.keys()].filter((key) => desk.mirror(device).view(key) === null);
  if (gone.length === 0) return;
  const key = desk.random.pick(gone);
  const object = objectOf(key);
  const values = desk.newValues(device.owner.user, device, object);
  if (values !== null) desk.save(device, [{ op: 'create', object, id: idOf(key), values }], (engine) => engine.create(object, values, idOf(key)).then(savedOne));
}

/** Takes a delete back that still waits. */
export function restore(desk: Desk, device: SimulatedDevice): void {
  const deleted = desk.mirror(device).queue.saves.filter(({ place, members }) => place === 'queue' && members.every(({ op }) => op === 'remove'));
  if (deleted.length === 0) return;
  const { object, id } = desk.random.pick(deleted).members[0]!;
  const end = desk.world.oracle.intend(device.name, { kind: 'restore' });
  desk.expect(device, device.engine!.restore(object, id).finally(end), ['RECORD_MISSING', 'RECORD_CHANGED_ELSEWHERE']);
}
