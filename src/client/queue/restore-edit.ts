import { joinRow, maskPositions } from '../../protocol/row.ts';
import { valuesOf } from './coalesce.ts';
import type { QueueEntry } from './queue-entry.ts';

/** A delete that absorbed an edit, as the edit again; `null` when it absorbed none. */
export function restoreEdit({ absorbed, ...entry }: QueueEntry): QueueEntry | null {
  if (absorbed === undefined) return null;
  const member = entry.members[0]!;
  const seen = valuesOf(member, member.previous);
  const previous = joinRow(maskPositions(absorbed.mask).map((position) => seen.get(position)!));
  return { ...entry, members: [{ ...member, op: 'update', ...absorbed, previous }] };
}
