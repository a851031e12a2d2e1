import type { Layout } from '../protocol/layout.ts';
import { isInMask, joinRow, mapRow, NO_VALUE, setInMask, createMask, splitRow, type FieldMask } from '../protocol/row.ts';
import type { RecordVersion } from '../protocol/version.ts';

/** A server row that this device holds: a record's base, or an image kept aside. */
export interface HeldImage {
  readonly layout: Layout;
  readonly version: RecordVersion;
  readonly state: 'live' | 'deleted' | 'hidden';
  /** `null` unless the state is `live`. */
  readonly row: Uint8Array | null;
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
  const values = member[which];
  if (values === null) return undefined;
  if (member.mask === null) return splitRow(values)[position];
  if (!isInMask(member.mask, position)) return undefined;
  let index = 0;
  for (let before = 0; before < position; before++) if (isInMask(member.mask, before)) index++;
  return splitRow(values)[index];
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
