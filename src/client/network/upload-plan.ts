import type { Schema } from '../../protocol/schema.ts';
import { createdBy, laneKeysOf, referencesOf, type QueueEntry } from '../queue/queue-entry.ts';
import type { Key } from '../store/record-key.ts';

/** What limits one upload request. */
export interface UploadLimits {
  readonly entries: number;
  readonly bytes: number;
}

/** Everything that planning an upload looks at. */
export interface UploadPlanInput {
  /** In the order of saves. */
  readonly entries: Iterable<QueueEntry>;
  readonly schema: Schema;
  readonly limits: UploadLimits;
  /** Entries that the server asked to send later, and are not due. */
  readonly deferred: ReadonlySet<number>;
  /** Bytes of an entry on the wire. */
  readonly sizeOf: (entry: QueueEntry) => number;
}

/**
 * Picks the entries of the next request: strictly in the order of saves (rule A17), leaving out refused and deferred ones with whatever
 * depends on them (rule C9), and ending where an entry touches what the request already holds, because the answer decides its values
 * (rule C5).
 */
export function planUpload({ entries, schema, limits, deferred, sizeOf }: UploadPlanInput): QueueEntry[] {
  const held = new Set<Key>();
  const heldCreates = new Set<Key>();
  const inRequest = new Set<Key>();
  const referred = new Set<Key>();
  const picked: QueueEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const keys = laneKeysOf(entry);
    const references = referencesOf(entry, schema);
    if (entry.state === 'failed' || deferred.has(entry.seq) || dependsOn(keys, references, held, heldCreates)) {
      for (const key of keys) held.add(key);
      for (const key of createdBy(entry)) heldCreates.add(key);
      continue;
    }
    const size = sizeOf(entry);
    const touches = keys.some((key) => inRequest.has(key) || referred.has(key)) || references.some((key) => inRequest.has(key));
    if (touches || picked.length >= limits.entries || (picked.length > 0 && bytes + size > limits.bytes)) break;
    picked.push(entry);
    bytes += size;
    for (const key of keys) inRequest.add(key);
    for (const key of references) referred.add(key);
  }
  return picked;
}

/** Entries that cannot move before `first` does: later ones of its records, and those that refer to what it creates (rule C9). */
export function findDependants(first: QueueEntry, entries: Iterable<QueueEntry>, schema: Schema): QueueEntry[] {
  const held = new Set(laneKeysOf(first));
  const heldCreates = new Set(createdBy(first));
  const dependants: QueueEntry[] = [];
  for (const entry of entries) {
    if (entry.seq <= first.seq || !dependsOn(laneKeysOf(entry), referencesOf(entry, schema), held, heldCreates)) continue;
    dependants.push(entry);
    for (const key of laneKeysOf(entry)) held.add(key);
    for (const key of createdBy(entry)) heldCreates.add(key);
  }
  return dependants;
}

function dependsOn(keys: readonly Key[], references: readonly Key[], held: ReadonlySet<Key>, heldCreates: ReadonlySet<Key>): boolean {
  return keys.some((key) => held.has(key)) || references.some((key) => heldCreates.has(key));
}

/** Says whether an entry from before `seq` still has to go up. */
export function hasPendingBefore(entries: Iterable<QueueEntry>, seq: number): boolean {
  for (const entry of entries) if (entry.seq < seq && entry.state !== 'failed') return true;
  return false;
}
