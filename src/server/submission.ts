import { valueAt } from '../protocol/row.ts';
import { compareVersions, type RecordVersion } from '../protocol/version.ts';
import { bytesEqual } from '../shared/bytes.ts';
import type { ServerObject } from './server-schema.ts';

/** How a header came to be submitted, kept beside it (rules A23, A24). It stays when the header is opened again. */
export interface Submission {
  /** The store and upload number that submitted it; `null` when the back office did. */
  readonly store: string | null;
  readonly number: number | null;
  /** The version of the header that was the first to be submitted. */
  readonly version: RecordVersion;
}

/** Says whether a row's state is one that means "submitted". */
export function isSubmittedRow({ submitted }: ServerObject, row: Uint8Array): boolean {
  if (submitted === null) return false;
  const state = valueAt(row, submitted.position);
  return submitted.values.some((value) => bytesEqual(value, state));
}

/** Rules A23, A24: whether a user who saw `base` could not know of a submission, because it came from another store since. */
export function isElsewhere(submission: Submission | null, store: string, base: RecordVersion): boolean {
  // Of a header that was submitted before the server kept by whom, nobody knows: then the user decides.
  return submission !== null && submission.store !== store && compareVersions(base, submission.version) < 0;
}
