import { ATTENTION, VERDICTS, type Verdict } from '../../src/core/core.ts';
import type { FeedGroup } from './feed-data.ts';

/** What decisions are made of. */
export interface DecisionInput {
  readonly entries: readonly { readonly id: string; readonly version: number }[];
  readonly groups: readonly FeedGroup[];
  readonly attention: ReadonlyMap<string, number>;
  /** The version that is held of a record; 0 for none. */
  heldVersion(id: string): number;
}

/** What was decided. */
export interface Decisions {
  /** Entries to merge, by index in the batch. */
  readonly merged: readonly number[];
  readonly verdicts: readonly number[];
}

const place = (verdict: Verdict): number => VERDICTS.indexOf(verdict);
const MERGE = place('merge'), WAIT = place('wait'), DISCARD = place('discard'), SUPERSEDED = place('superseded'), STALE = place('stale'), INCOMPLETE = place('incomplete');

/**
 * Decides about every entry of a batch as a careful program would, by the rules that the core follows: the newest of its record, newer
 * than what is held, all of its group here, and nothing of it pending or in use. All contenders that hold JavaScript values use it, and
 * their time includes it.
 */
export function decide({ entries, groups, attention, heldVersion }: DecisionInput): Decisions {
  const newest = new Map<string, number>();
  for (let entry = 0; entry < entries.length; entry++) {
    const { id, version } = entries[entry]!;
    const other = newest.get(id);
    if (other === undefined || version >= entries[other]!.version) newest.set(id, entry);
  }
  const obstacleOf = obstacles(entries, groups, attention, heldVersion);
  const verdicts = VERDICTS.map(() => 0), merged: number[] = [];
  for (let entry = 0; entry < entries.length; entry++) {
    const { id, version } = entries[entry]!;
    let verdict = MERGE;
    if (newest.get(id) !== entry) verdict = SUPERSEDED;
    else if (version <= heldVersion(id)) verdict = STALE;
    else verdict = obstacleOf.get(entry) ?? verdictOf(attention.get(id) ?? 0, false);
    verdicts[verdict]!++;
    if (verdict === MERGE) merged.push(entry);
  }
  return { merged, verdicts };
}

/** The verdict of entries that are in a group: what stands in the way of one stands in the way of all. */
function obstacles(
  entries: DecisionInput['entries'],
  groups: DecisionInput['groups'],
  attention: DecisionInput['attention'],
  heldVersion: DecisionInput['heldVersion'],
): Map<number, number> {
  const found = new Map<number, number>();
  for (const { members, others } of groups) {
    let flags = 0;
    for (const member of members) flags |= attention.get(entries[member]!.id) ?? 0;
    const verdict = verdictOf(flags, others.some(({ id, version }) => heldVersion(id) < version));
    for (const member of members) found.set(member, verdict);
  }
  return found;
}

function verdictOf(flags: number, isIncomplete: boolean): number {
  if ((flags & ATTENTION.pending) !== 0) return DISCARD;
  if (isIncomplete) return INCOMPLETE;
  return (flags & ATTENTION.inUse) === 0 ? MERGE : WAIT;
}
