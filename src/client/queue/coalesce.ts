import type { ObjectDefinition } from '../../protocol/schema.ts';
import { isInMask, joinRow, NO_VALUE, setInMask, splitRow } from '../../protocol/row.ts';
import { compareVersions } from '../../protocol/version.ts';
import { bytesEqual } from '../../shared/bytes.ts';
import type { QueueEntry } from './queue-entry.ts';
import { touchedPositions, type Member } from '../store/rows.ts';

/** What a decision to coalesce looks at. */
export interface CoalesceInput {
  /** The record's last entry in the queue. */
  readonly tail: QueueEntry;
  /** What the new save makes of the record. */
  readonly member: Member;
  /** The record's row below all entries, in the layout of the new save; `null` when there is none. */
  readonly base: () => Uint8Array | null;
  /** What entries before the tail make of the record, the oldest first. */
  readonly below: readonly Member[];
  readonly definition: ObjectDefinition;
  /** Records of the object can be saved with others as a group. */
  readonly isGrouped: boolean;
  /** The new values refer to a record that an entry after the tail creates. */
  readonly refersToLater: () => boolean;
  /** An entry after the tail refers to this record. */
  readonly isReferredToLater: () => boolean;
}

/** An entry that takes the tail's place, `withdrawn` when nothing of either is left to send, `null` when the save is an entry of its own. */
export type Coalesced = QueueEntry | 'withdrawn' | null;

/**
 * Rule C8: a save of a single record joins the record's last entry, as long as nothing of that was sent. Never in groups, never where the
 * submitted state is touched, and never when the save would be sent ahead of something that it needs.
 */
export function coalesce(input: CoalesceInput): Coalesced {
  const { tail, member, refersToLater, isReferredToLater } = input;
  const waiting = tail.members[0]!;
  if (!mayJoin(input) || !beganFrom(waiting, member)) return null;
  if (waiting.op === 'create' && member.op === 'remove') return isReferredToLater() ? null : 'withdrawn';
  if (waiting.op === 'remove' || member.op === 'create' || refersToLater()) return null;
  if (member.op === 'remove') return isReferredToLater() ? null : joinDelete(tail, waiting, member);
  return waiting.op === 'create' ? { ...tail, members: [joinCreate(waiting, member)] } : joinUpdate(input, waiting);
}

function mayJoin({ tail, member, definition, isGrouped }: CoalesceInput): boolean {
  const waiting = tail.members[0]!;
  return (
    tail.state === 'queued' && tail.number === null && tail.refusal === null && tail.members.length === 1 && tail.duplicateOf === null &&
    !isGrouped && definition.coalesce !== 'never' && waiting.layout.hash === member.layout.hash &&
    !touchesState(waiting, definition) && !touchesState(member, definition)
  );
}

/** Says whether a create or an edit gives the field a value that tells whether the record is submitted. */
function touchesState({ op, layout, mask, next }: Member, { submitted }: ObjectDefinition): boolean {
  const position = submitted === undefined ? undefined : layout.positions.get(submitted.field);
  if (position === undefined || op === 'remove') return false;
  return mask === null ? !bytesEqual(splitRow(next!)[position]!, NO_VALUE) : isInMask(mask, position);
}

/**
 * A save through a form that never showed what waits must not take it back unseen: then it stays an entry of its own, and conflicts. What
 * was kept against a newer value online begins from that value, which is not what lies under it here: to go back to it is a change.
 */
function beganFrom(waiting: Member, member: Member): boolean {
  if (compareVersions(waiting.base, member.base) > 0) return false;
  const sent = valuesOf(waiting, waiting.next);
  return [...valuesOf(member, member.previous)].every(([position, previous]) => bytesEqual(sent.get(position) ?? previous, previous));
}

function joinUpdate({ tail, member, base, below }: CoalesceInput, waiting: Member): Coalesced {
  const previous = new Map([...valuesOf(member, member.previous), ...valuesOf(waiting, waiting.previous)]);
  const next = new Map([...valuesOf(waiting, waiting.next), ...valuesOf(member, member.next)]);
  // A field that is again what it was has nothing to say.
  const positions = [...next.keys()].filter((position) => !bytesEqual(previous.get(position)!, next.get(position)!)).sort((left, right) => left - right);
  // Saved through a form or a draft that did not show what lies below, it was something else: to leave it out would show that again.
  if (positions.length < next.size) {
    const row = base();
    const under = new Map([...(row === null ? [] : splitRow(row).entries()), ...below.flatMap((earlier) => [...valuesOf(earlier, earlier.next)])]);
    if ([...next.keys()].some((position) => !positions.includes(position) && under.has(position) && !bytesEqual(under.get(position)!, previous.get(position)!))) return null;
  }
  if (positions.length === 0) return 'withdrawn';
  const mask = new Uint8Array(waiting.mask!.length);
  for (const position of positions) setInMask(mask, position);
  const pick = (values: ReadonlyMap<number, Uint8Array>): Uint8Array => joinRow(positions.map((position) => values.get(position)!));
  return { ...tail, members: [{ ...waiting, mask, previous: pick(previous), next: pick(next) }] };
}

function joinCreate(waiting: Member, member: Member): Member {
  const edited = valuesOf(member, member.next);
  return { ...waiting, next: joinRow(splitRow(waiting.next!).map((value, position) => edited.get(position) ?? value)) };
}

/** The delete carries what the user saw before the edit; the edit is kept with it, in case the user takes the delete back. */
function joinDelete(tail: QueueEntry, waiting: Member, member: Member): QueueEntry {
  const first = valuesOf(waiting, waiting.previous);
  const previous = joinRow([...valuesOf(member, member.previous)].map(([position, value]) => first.get(position) ?? value));
  return { ...tail, members: [{ ...member, base: waiting.base, previous }], absorbed: { mask: waiting.mask!, next: waiting.next! } };
}

/** A member's previous or new values, by position. */
export function valuesOf(member: Member, values: Uint8Array | null): Map<number, Uint8Array> {
  const positions = touchedPositions(member);
  return new Map((values === null ? [] : splitRow(values)).map((value, index) => [positions[index]!, value]));
}
