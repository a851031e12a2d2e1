/**
 * The protocol this build speaks. History: 1 — first.
 */
export const PROTOCOL_VERSION = 1;

/** The oldest protocol that a server of this build still accepts. */
export const OLDEST_PROTOCOL_VERSION = 1;

/**
 * The version of a record: the epoch of the server's history, and a number that grows with each commit of that record. It never
 * restarts: not after a delete, an undelete or a restore of the server (rule C6).
 */
export type RecordVersion = readonly [epoch: number, n: number];

/** The version before any: a record that was never saved. */
export const NO_VERSION: RecordVersion = [0, 0];

/** Orders two versions: negative when `left` is older, 0 when equal, positive when newer. */
export function compareVersions(left: RecordVersion, right: RecordVersion): number {
  return left[0] - right[0] || left[1] - right[1];
}
