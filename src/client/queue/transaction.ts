import type { Layout } from '../../protocol/layout.ts';
import type { RecordVersion } from '../../protocol/version.ts';
import { SyncFault } from '../../shared/fault.ts';
import { isGrouped, type GroupPlaces } from './groups.ts';
import type { Key } from '../store/record-key.ts';
import type { Member } from '../store/rows.ts';

/** One record of a save, as a host asks for it. */
export interface Change {
  readonly op: 'create' | 'update' | 'remove';
  /** The object's name in the schema. */
  readonly object: string;
  /** The record's id at birth or its Record ID; of a create the host's own id at birth. */
  readonly id?: string | undefined;
  /** Of a create or an update. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** Of an update: what the form showed. */
  readonly seen?: Readonly<Record<string, unknown>> | undefined;
}

/** What a save makes of one record. */
export interface Edit {
  readonly key: Key;
  readonly layout: Layout;
  /** What the user saw before; `null` when there was no record. */
  readonly before: Uint8Array | null;
  /** What the user made of it; `null` for a delete. */
  readonly after: Uint8Array | null;
  /** The version that the user saw. */
  readonly base: RecordVersion;
  /** Which change of the save asked for it, from 0; `null` where the save has but one. */
  readonly change: number | null;
}

/** An edit with the tops of the groups that it touches: one, or two when it moves its record from one group to another. */
export interface PlacedEdit {
  readonly edit: Edit;
  readonly member: Member;
  readonly tops: ReadonlySet<Key>;
}

/** What becomes one queue entry: members that the server takes as a whole. */
export interface EntryPlan {
  readonly placed: readonly PlacedEdit[];
  readonly tops: ReadonlySet<Key>;
}

/** Puts edits of one group, or of two between which a record moves, together; edits outside groups stay alone (rules A14, A15). */
export function gatherGroups(placed: readonly PlacedEdit[], places: GroupPlaces): EntryPlan[] {
  const plans: { readonly placed: PlacedEdit[]; readonly tops: Set<Key> }[] = [];
  for (const one of placed) {
    const isAlone = !isGrouped(places.get(one.member.object)!);
    const [first, ...others] = isAlone ? [] : plans.filter(({ tops }) => [...one.tops].some((top) => tops.has(top)));
    const plan = first ?? { placed: [], tops: new Set() };
    if (first === undefined) plans.push(plan);
    for (const other of others) {
      plan.placed.push(...other.placed);
      for (const top of other.tops) plan.tops.add(top);
      plans.splice(plans.indexOf(other), 1);
    }
    plan.placed.push(one);
    for (const top of one.tops) plan.tops.add(top);
  }
  return plans;
}

/** Parents first, deletes last and children first there (rule A15); else in the order of the changes. */
export function orderMembers(placed: readonly PlacedEdit[], places: GroupPlaces): PlacedEdit[] {
  const rank = ({ member: { object, op } }: PlacedEdit): number => {
    const { depth } = places.get(object)!;
    return op === 'remove' ? 1_000 - depth : depth;
  };
  return [...placed].sort((left, right) => rank(left) - rank(right));
}

/** Runs what one change of a save asks for; where there are several (else it is `null`), a fault of it says which one it was. */
export async function inChange<T>(change: number | null, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (fault) {
    if (!(fault instanceof SyncFault) || change === null) throw fault;
    throw new SyncFault(fault.code, fault.message, { details: { ...fault.details, change }, cause: fault.cause });
  }
}
