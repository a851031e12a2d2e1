import type { Layout } from '../../protocol/layout.ts';
import { createMask, isInMask, joinRow, mapRow, maskPositions, NO_VALUE, setInMask, valueAt, type FieldMask } from '../../protocol/row.ts';
import { NO_VERSION, type RecordVersion } from '../../protocol/version.ts';

/** A server row that this device holds: a record's base, or an image kept aside. */
export interface HeldImage {
  readonly layout: Layout;
  readonly version: RecordVersion;
  readonly state: 'live' | 'deleted' | 'hidden';
  /** `null` unless the state is `live`. */
  readonly row: Uint8Array | null;
}

export function versionOf(image: HeldImage | null | undefined): RecordVersion {
  return image?.version ?? NO_VERSION;
}

/** One edited record of a queue entry. */
export interface Member {
  readonly object: string;
  readonly id: string;
  readonly op: 'create' | 'update' | 'remove';
  readonly layout: Layout;
  readonly base: RecordVersion;
  readonly mask: FieldMask | null;
  readonly previous: Uint8Array | null;
  readonly next: Uint8Array | null;
}

/** The value of one field in a member's previous or new values; `undefined` when the member does not touch it. */
export function valueIn(member: Member, which: 'previous' | 'next', position: number): Uint8Array | undefined {
  const index = touchedPositions(member).indexOf(position);
  return member[which] === null || index < 0 ? undefined : valueAt(member[which], index);
}

/** The fields that a member sets, or saw before a delete, in the order of its values. */
export function touchedPositions({ layout, mask }: Member): number[] {
  return mask === null ? layout.fields.map((_, position) => position) : maskPositions(mask);
}

/** The names of the fields that a member touches. */
export function fieldsIn(member: Member): string[] {
  return touchedPositions(member).map((position) => member.layout.fields[position]!.name);
}

/** A member's values carried to another layout by field name; fields that the other layout lacks fall away. */
export function memberOn(layout: Layout, member: Member): Member {
  if (member.layout.hash === layout.hash) return member;
  if (member.mask === null) return { ...member, layout, next: member.next === null ? null : mapRow(member.layout, layout, member.next) };
  const mask = createMask(layout);
  const previous: Uint8Array[] = [];
  const next: Uint8Array[] = [];
  layout.fields.forEach(({ name, type }, position) => {
    const from = member.layout.positions.get(name);
    if (from === undefined || member.layout.fields[from]!.type !== type || !isInMask(member.mask!, from)) return;
    setInMask(mask, position);
    previous.push(valueIn(member, 'previous', from) ?? NO_VALUE);
    next.push(valueIn(member, 'next', from) ?? NO_VALUE);
  });
  return { ...member, layout, mask, previous: joinRow(previous), next: member.next === null ? null : joinRow(next) };
}
