import type { QueueEntry } from './queue-entry.ts';

/** Bytes of an entry on the wire, near enough for limits. */
export function sizeOf(entry: Pick<QueueEntry, 'members'>): number {
  return entry.members.reduce((size, { id, mask, previous, next }) => size + id.length * 3 + 32 + (mask?.length ?? 0) + (previous?.length ?? 0) + (next?.length ?? 0), 0);
}
