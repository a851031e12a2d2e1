import type { Schema } from '../../protocol/schema.ts';
import type { RecordRef } from '../queue/outcomes.ts';
import { createdBy, keysOf, laneKeysOf, referencesOf, type QueueEntry } from '../queue/queue-entry.ts';
import type { Key } from '../store/record-key.ts';
import { findDependants } from '../network/upload-plan.ts';

/**
 * Why a record is not in step with the server yet. The first reason is the one to look at first: nothing below it matters before it is
 * gone.
 */
export type SyncReason =
  | {
      /** It is in a draft that was not saved yet (rule A12). */
      readonly code: 'draft';
      /** Its id, for `drafts.open`. */
      readonly draft: string;
    }
  | {
      /** The server takes nothing from this device any more (rule A3). */
      readonly code: 'revoked';
    }
  | {
      /** The server no longer speaks this build's protocol. */
      readonly code: 'upgrade-required';
    }
  | {
      /** Somebody has to sign in. */
      readonly code: 'needs-auth';
    }
  | {
      /** The platform says that there is no network. */
      readonly code: 'offline';
    }
  | {
      /** In the background nothing is sent (rule A16). */
      readonly code: 'in-background';
    }
  | {
      /** The server refused it; the sync error waits for the user. */
      readonly code: 'refused';
      /** The number of the sync error. */
      readonly syncError: number;
    }
  | {
      /** Another save must be settled first (rule C9). */
      readonly code: 'waiting-behind';
      /** The number of the queue entry that has to be settled. */
      readonly entry: number;
      /** The object of the first record that it changes. */
      readonly object: string;
      /** The id at birth of that record. */
      readonly id: string;
      /** `group`: of the same record or transaction group. `reference`: it creates a record that this one refers to. */
      readonly because: 'group' | 'reference';
      /** Whether it was refused, and waits for the user. */
      readonly isRefused: boolean;
    }
  | {
      /** The server could not decide and asked to try later (rule A17). */
      readonly code: 'deferred';
      /** The number of the queue entry. */
      readonly entry: number;
      /** Milliseconds until it is sent again. */
      readonly retryInMs: number;
    }
  | {
      /** The last request failed; the next is due then. */
      readonly code: 'backing-off';
      /** Milliseconds until the next request. */
      readonly retryInMs: number;
    }
  | {
      /** It is on its way, or was when the answer got lost. */
      readonly code: 'sending';
      /** The number of the queue entry. */
      readonly entry: number;
    }
  | {
      /** Its turn comes. */
      readonly code: 'queued';
      /** The number of the queue entry. */
      readonly entry: number;
    }
  | {
      /** A change of it was taken back, and how it is online has not been read since: that is asked for after each poll (rule B13). */
      readonly code: 'read-wanted';
    }
  | ParkedReason;

/** Why a newer row of the server is not shown. */
export type ParkedReason =
  | {
      /** It is kept until the user's changes of the record, or of its group, are settled (rule C7). */
      readonly code: 'kept-aside';
    }
  | {
      /** It is merged as soon as it is safe (rule A34). */
      readonly code: 'newer-version-waits';
      /** `in-use`: until whoever has the record or its group open leaves it. `incomplete`: until all of the group is here. */
      readonly because: 'in-use' | 'incomplete';
      /** The records that are not here yet: members of the group, and masters. */
      readonly missing: readonly RecordRef[];
    };

/** Everything that explaining looks at. */
export interface ExplainInput {
  readonly key: Key;
  readonly schema: Schema;
  /** In the order of saves. */
  readonly entries: Iterable<QueueEntry>;
  /** Drafts that hold the record. */
  readonly drafts: readonly string[];
  /** Why a newer row is not shown; `null` where there is none. */
  readonly parked: ParkedReason | null;
  /** Whether it is to be read anew since a change of it was taken back. */
  readonly isWanted: boolean;
  readonly isOnline: boolean;
  readonly isForeground: boolean;
  readonly needsAuth: boolean;
  readonly revoked: boolean;
  readonly upgradeRequired: boolean;
  /** Milliseconds until the next attempt after a failure. */
  readonly retryInMs: number | null;
  /** Milliseconds until an entry may be sent again that the server asked to send later. */
  readonly deferredMs: (entry: number) => number | null;
}

/** Why a record is not synced, most urgent first; nothing when it is. */
export function explain(input: ExplainInput): SyncReason[] {
  const all = [...input.entries];
  const own = all.filter((entry) => keysOf(entry).includes(input.key));
  const reasons: SyncReason[] = input.drafts.map((draft) => ({ code: 'draft', draft }));
  const [head] = own;
  const failed = all.filter(({ state }) => state === 'failed');
  const stuck = new Set(failed.flatMap((entry) => [entry, ...findDependants(entry, all, input.schema)]));
  const blocker = head === undefined ? null : findBlocker(head, all, input.schema, stuck);
  // What waits for the user would wait with the best of networks.
  if (head !== undefined && !stuck.has(head)) reasons.push(...standstill(input));
  for (const { seq } of own.filter((entry) => failed.includes(entry))) reasons.push({ code: 'refused', syncError: seq });
  if (blocker !== null) reasons.push(blocker);
  for (const { seq, state } of own) {
    const retryInMs = input.deferredMs(seq);
    if (state === 'failed') continue;
    if (retryInMs !== null) reasons.push({ code: 'deferred', entry: seq, retryInMs });
    else reasons.push({ code: state, entry: seq });
  }
  if (input.parked !== null) reasons.push(input.parked);
  if (input.isWanted) reasons.push({ code: 'read-wanted' });
  return reasons;
}

/** Why nothing at all is sent. */
function standstill({ revoked, upgradeRequired, needsAuth, isOnline, isForeground, retryInMs }: ExplainInput): SyncReason[] {
  if (revoked) return [{ code: 'revoked' }];
  if (upgradeRequired) return [{ code: 'upgrade-required' }];
  if (needsAuth) return [{ code: 'needs-auth' }];
  if (!isOnline) return [{ code: 'offline' }];
  if (!isForeground) return [{ code: 'in-background' }];
  return retryInMs === null ? [] : [{ code: 'backing-off', retryInMs }];
}

/** The save that an entry waits for: one that waits for the user before any other (rule C9). */
function findBlocker(entry: QueueEntry, all: readonly QueueEntry[], schema: Schema, stuck: ReadonlySet<QueueEntry>): Extract<SyncReason, { code: 'waiting-behind' }> | null {
  const lanes = laneKeysOf(entry), references = referencesOf(entry, schema);
  const sharesLane = (other: QueueEntry): boolean => laneKeysOf(other).some((key) => lanes.includes(key));
  const before = all.filter((other) => other.seq < entry.seq && (sharesLane(other) || createdBy(other).some((key) => references.includes(key))));
  const other = before.find((one) => stuck.has(one)) ?? before[0];
  if (other === undefined) return null;
  const { object, id } = other.members[0]!;
  return { code: 'waiting-behind', entry: other.seq, object, id, because: sharesLane(other) ? 'group' : 'reference', isRefused: stuck.has(other) };
}
