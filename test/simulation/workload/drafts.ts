import type { SimulatedDevice } from '../../../src/testing/simulation/simulated-device.ts';
import { GROUPS, OBJECTS, submittedOf, type GroupPart, type HeaderName } from '../crm.ts';
import { isSame } from '../oracle/online-history.ts';
import { idOf, objectOf, SAVING, type Desk } from './desk.ts';

/** What work on a draft may be told: it was saved or discarded meanwhile, or its records are in another one. */
const DRAFTING = [...SAVING, 'DRAFT_UNKNOWN', 'OPTION_INVALID', 'FIELD_REQUIRED', 'GROUP_MIXED'] as const;

/** Opens a draft on a record, or goes on with one: edits it, saves it or gives it up. */
export function workOnDraft(desk: Desk, device: SimulatedDevice): void {
  const [draft] = desk.mirror(device).drafts.ids;
  if (draft === undefined || desk.random.chance(0.15)) return openDraft(desk, device);
  const next = desk.random.weighted({ edit: 55, add: 15, save: 20, discard: 10 });
  if (next === 'edit') editDraft(desk, device, draft);
  else if (next === 'add') addToDraft(desk, device, draft);
  else endDraft(desk, device, draft, next);
}

function openDraft(desk: Desk, device: SimulatedDevice): void {
  const object = desk.pickObject();
  const key = desk.random.chance(0.8) ? desk.pickShown(device, object) : null;
  const end = desk.world.oracle.intend(device.name, { kind: 'draft:open', draft: null });
  desk.expect(device, device.engine!.draft({ kind: 'open', object, id: key === null ? null : idOf(key) }).finally(end), DRAFTING);
}

function editDraft(desk: Desk, device: SimulatedDevice, draft: string): void {
  const mirror = desk.mirror(device);
  const held = mirror.drafts.keysOf(draft).filter((key) => mirror.drafts.row(draft, key) !== null);
  if (held.length === 0) return;
  const key = desk.random.pick(held);
  const object = objectOf(key);
  if (desk.random.chance(0.1)) return change(desk, device, draft, key, 'remove', {});
  const values = desk.newEdit(device, object);
  const state = submittedOf(object);
  if (state !== null && desk.random.chance(0.05)) values[state.field] = state.values[0]!;
  change(desk, device, draft, key, 'update', values);
}

/** A new member below the record that leads the draft's group. */
function addToDraft(desk: Desk, device: SimulatedDevice, draft: string): void {
  const top = desk.mirror(device).drafts.keysOf(draft).find((key) => key.slice(0, key.indexOf('/')) in GROUPS);
  if (top === undefined) return;
  const { object, field, target } = desk.random.pick<GroupPart>(GROUPS[objectOf(top) as HeaderName]);
  if (target !== objectOf(top)) return;
  const values = desk.newValues(device.owner.user, device, object, { [field]: idOf(top) });
  if (values !== null) change(desk, device, draft, `${object}/${desk.newId(device)}`, 'create', values);
}

function change(desk: Desk, device: SimulatedDevice, draft: string, key: string, op: 'create' | 'update' | 'remove', values: Readonly<Record<string, unknown>>): void {
  const mirror = desk.mirror(device);
  const object = OBJECTS.find((name) => key.startsWith(`${name}/`))!;
  const end = desk.world.oracle.intend(device.name, { kind: 'draft:change', draft });
  const changesBefore = mirror.drafts.changes;
  const done = device.engine!.draft({ kind: 'change', draft, op, object, id: idOf(key), ...(op === 'remove' ? {} : { values }) }).then(() => {
    if (desk.mirror(device) !== mirror || !mirror.drafts.ids.includes(draft)) return;
    if (mirror.drafts.changes !== changesBefore + 1) return; // Others may have changed it since.
    const row = mirror.drafts.row(draft, key);
    const isHeld = op === 'remove' ? row === null || row === undefined : row !== null && row !== undefined && Object.entries(values).every(([field, value]) => isSame(row[field], value));
    if (!isHeld) desk.world.oracle.fail('drafts', `${device.name} was told that ${op} of ${key} is in draft ${draft}, and it holds ${JSON.stringify(row)}`);
  });
  desk.expect(device, done.finally(end), DRAFTING);
}

export function endDraft(desk: Desk, device: SimulatedDevice, draft: string, kind: 'save' | 'discard'): void {
  const end = desk.world.oracle.intend(device.name, { kind: `draft:${kind}`, draft });
  desk.expect(device, device.engine!.draft({ kind, draft }).finally(end), DRAFTING);
}
