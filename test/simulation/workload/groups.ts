import type { Change } from '../../../src/client/queue/transaction.ts';
import { isFault } from '../../../src/shared/fault.ts';
import type { SimulatedDevice } from '../../../src/testing/simulation/simulated-device.ts';
import { GROUPS, submittedOf, type GroupPart, type HeaderName, type ObjectName } from '../crm.ts';
import type { IntendedChange } from '../oracle/intents.ts';
import { idOf, type Desk } from './desk.ts';

/** Saves several records of one group at once: a new group, or edits, new members and deletes in one that is there (rule A15). */
export function saveGroup(desk: Desk, device: SimulatedDevice): void {
  const header = pickHeader(desk);
  if (header === null) return;
  const key = desk.random.chance(0.35) ? null : desk.pickShown(device, header);
  saveTogether(desk, device, key === null ? newGroup(desk, device, header) : editGroup(desk, device, header, key));
}

/** Submits a record: alone, or together with what else the user has to say. */
export function submit(desk: Desk, device: SimulatedDevice): void {
  const header = pickHeader(desk);
  const key = header === null ? null : desk.pickShown(device, header);
  if (header === null || key === null) return;
  const { field, values } = submittedOf(header)!;
  const more = desk.random.chance(0.3) ? editGroup(desk, device, header, key).filter(({ id }) => id !== idOf(key)) : [];
  saveTogether(desk, device, [{ op: 'update', object: header, id: idOf(key), values: { [field]: values[0]! } }, ...more]);
}

/** Moves a member from one group to another. */
export function move(desk: Desk, device: SimulatedDevice): void {
  const header = pickHeader(desk);
  if (header === null) return;
  const { object, field, target } = desk.random.pick<GroupPart>(GROUPS[header]);
  const key = desk.pickShown(device, object), to = desk.pickShown(device, target);
  if (key === null || to === null) return;
  saveTogether(desk, device, [{ op: 'update', object, id: idOf(key), values: { [field]: idOf(to) } }]);
}

function pickHeader(desk: Desk): HeaderName | null {
  const { objects } = desk.world.swarm;
  const headers = (Object.keys(GROUPS) as HeaderName[]).filter((header) => objects[header] > 0);
  return headers.length === 0 ? null : desk.random.pick(headers);
}

function newGroup(desk: Desk, device: SimulatedDevice, header: HeaderName): IntendedChange[] {
  const values = desk.newValues(device.owner.user, device, header);
  if (values === null) return [];
  const id = desk.newId(device);
  return [{ op: 'create', object: header, id, values }, ...newMembers(desk, device, header, `${header}/${id}`, desk.random.integer(0, 3))];
}

/** New members, some below others of them. */
function newMembers(desk: Desk, device: SimulatedDevice, header: HeaderName, top: string, count: number): IntendedChange[] {
  const parents = [top, ...[...desk.mirror(device).shown('sample')].filter((key) => desk.mirror(device).view(key)?.call === idOf(top))];
  const made: IntendedChange[] = [];
  for (let left = count; left > 0; left--) {
    const { object, field, target } = desk.random.pick<GroupPart>(GROUPS[header]);
    const candidates = parents.filter((key) => key.startsWith(`${target}/`));
    if (candidates.length === 0) continue;
    const values = desk.newValues(device.owner.user, device, object, { [field]: idOf(desk.random.pick(candidates)) });
    if (values === null) continue;
    const id = desk.newId(device);
    parents.push(`${object}/${id}`);
    made.push({ op: 'create', object, id, values });
  }
  return made;
}

function editGroup(desk: Desk, device: SimulatedDevice, header: HeaderName, top: string): IntendedChange[] {
  const changes = new Map<string, IntendedChange>();
  const parentFields = new Set<string>(GROUPS[header].map(({ field }) => field));
  const edit = (object: ObjectName, key: string): void => {
    const values = Object.fromEntries(Object.entries(desk.newEdit(device, object)).filter(([field]) => object === header || !parentFields.has(field)));
    changes.set(key, { op: 'update', object, id: idOf(key), values });
  };
  if (desk.random.chance(0.6)) edit(header, top);
  for (const { object, field, target } of GROUPS[header]) {
    if (target !== header) continue;
    for (const key of desk.mirror(device).shown(object)) {
      if (desk.mirror(device).view(key)?.[field] !== idOf(top) || desk.random.chance(0.5)) continue;
      if (desk.random.chance(0.2)) changes.set(key, { op: 'remove', object, id: idOf(key), values: {} });
      else edit(object, key);
    }
  }
  const removed = new Set([...changes.values()].filter(({ op }) => op === 'remove').map(({ id }) => id));
  const added = newMembers(desk, device, header, top, desk.random.integer(0, 2)).filter(({ values }) => !Object.values(values).some((value) => typeof value === 'string' && removed.has(value)));
  return [...changes.values(), ...added];
}

/**
 * Saves changes as one. What their group is was read off the screen, and saves are stored one after another: a member or its parent may have
 * been moved, deleted or merged before it is this save's turn, and then they are of one group no longer. Of records that stayed as they
 * were, nobody is told so.
 */
function saveTogether(desk: Desk, device: SimulatedDevice, changes: readonly IntendedChange[]): void {
  if (changes.length === 0) return;
  const asked = changes.map(({ op, object, id, values }): Change => ({ op, object, id: id!, ...(op === 'remove' ? {} : { values }) }));
  const mirror = desk.mirror(device);
  const seen = new Map(changes.flatMap(({ object, id, values }) => [`${object}/${id!}`, ...parentsIn(object, values)]).map((key) => [key, mirror.touches(key)]));
  const isAsSeen = (): boolean => desk.mirror(device) === mirror && [...seen].every(([key, touches]) => mirror.touches(key) === touches);
  desk.save(device, changes, (engine) => {
    return engine.save(asked).then(({ entry, records }) => ({ entry, ids: records.map(({ id }) => id) }), (thrown: unknown) => {
      if (isFault(thrown, 'GROUP_MIXED') && isAsSeen()) desk.world.oracle.fail('unexpected-fault', `${device.name} saved records of one group, none of which changed meanwhile, and met ${thrown.message}`);
      throw thrown;
    });
  }, ['GROUP_MIXED']);
}

/** The records of a group that values hang a member on. */
function parentsIn(object: string, values: IntendedChange['values']): string[] {
  const parts: readonly GroupPart[] = Object.values(GROUPS).flat();
  return parts.flatMap((part) => (part.object === object && typeof values[part.field] === 'string' ? [`${part.target}/${String(values[part.field])}`] : []));
}
