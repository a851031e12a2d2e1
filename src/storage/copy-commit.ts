import { copyBytes } from '../shared/bytes.ts';
import type { Commit } from './storage-adapter.ts';

/**
 * Copies a commit, for adapters that wait before they write: the caller may change its arrays as soon as `commit` has returned its
 * promise. Each copy is a buffer of its own size, because cloning a view clones the whole buffer under it.
 */
export function copyCommit(commit: Commit): CopiedCommit {
  return {
    durability: commit.durability,
    expect: (commit.expect ?? []).map(({ key, bytes }) => ({ key, bytes: bytes && copyBytes(bytes) })),
    putRecords: (commit.putRecords ?? []).map(({ object, id, bytes }) => ({ object, id, bytes: copyBytes(bytes) })),
    putPacked: (commit.putPacked ?? []).map(({ object, block }) => ({ object, block: copyBytes(block) })),
    removeRecords: (commit.removeRecords ?? []).map(({ object, id }) => ({ object, id })),
    putState: (commit.putState ?? []).map(({ key, bytes }) => ({ key, bytes: copyBytes(bytes) })),
    removeState: [...(commit.removeState ?? [])],
  };
}

/** A commit of which every part is there and belongs to the adapter. */
export type CopiedCommit = { readonly [Part in keyof Required<Commit>]: Required<Commit>[Part] };
