/** A promise that was not kept: the first one ends a run. */
export interface Violation {
  /** The invariant, as the reliability notes name it. */
  readonly rule: Rule;
  readonly message: string;
  /** Virtual milliseconds since the run began. */
  readonly at: number;
}

/** What the oracle watches. */
export type Rule =
  /** 1: a save that was acknowledged is in the queue, with what the user entered. */
  | 'durable-save'
  /** 2: nothing leaves the queue but as saved, or undone into the journal. */
  | 'no-lost-write'
  /** 3: an entry changes the server at most once, and is decided once. */
  | 'exactly-once'
  /** 4: entries of a store are saved in the order of the user's saves. */
  | 'fifo'
  /** 4b, C4: what was sent once is never sent otherwise. */
  | 'frozen'
  /** A19: what is written is what the user entered; nothing else changes. */
  | 'content'
  /** 7: no accepted save replaced a value that its device never showed. */
  | 'silent-overwrite'
  /** C5: no save is refused because of the same device's own earlier save. */
  | 'self-conflict'
  /** 5, A15: a transaction is online as a whole or not at all. */
  | 'txn-atomic'
  /** C8: a save joins only the last waiting one of its record, where that is allowed. */
  | 'coalescing'
  /** A23, A24: a submitted record and its group stay as they are; who comes too late is told so. */
  | 'submitted'
  /** A23: there is one copy for each original and store. */
  | 'one-duplicate'
  /** A22: what an override replaced is listed: for the user and in the audit. */
  | 'overwritten-listed'
  /** A24, A27: what the user must be told is told once, and stays until it is read. */
  | 'notices'
  /** A12: a draft is durable, and goes nowhere unasked. */
  | 'drafts'
  /** 8: what is shown changes only with a newer version, a save or an undo. */
  | 'monotonic-view'
  /** C6: versions that a device holds never go back. */
  | 'monotonic-version'
  /** 9, A39: nothing is merged into a record with a pending change. */
  | 'merge-safety'
  /** A34, A35: of a group without own changes all is shown as it was at one moment, or nothing of what is new. */
  | 'half-merged'
  /** A27, A36: what a person has open changes only by that person's own saves, or when asked to. */
  | 'in-use'
  /** A36, A38: what is kept aside is counted, and merged as soon as nothing is in the way. */
  | 'parked'
  /** A37: nothing is queued against what is known to be gone, or submitted, online. */
  | 'guards'
  /** 10: what lies before the cursor is merged, kept aside or known to be missing. */
  | 'feed-accounting'
  /** A29, A30: a save is on its user's feed, whole, when it is committed. */
  | 'feed-complete'
  /** A7, A28, 16: nobody hears of what is not theirs. */
  | 'isolation'
  /** A33: nobody reads the feed who knows that nobody looks, or that there is no network. */
  | 'polling'
  /** A device holds only rows that the server really had. */
  | 'true-images'
  /** The status never says "up to date" while something waits. */
  | 'honest-status'
  /** 22: what was undone is in the journal, and the record is what it is online. */
  | 'undo'
  /** 13: once all is quiet, every device has what the server has. */
  | 'convergence'
  /** 14: once the network works, everything is settled soon and without a storm of requests. */
  | 'liveness'
  /** Something threw that had no reason to. */
  | 'unexpected-fault';
