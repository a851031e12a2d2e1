import { describe, expect, test } from 'vitest';
import { findRealData } from '../support/real-data.ts';
import { playCases } from './two-device-cases.ts';

/** What `data/tools/devices.mjs` prints for this set. */
const REFERENCE = {
  cases: 483,
  uploads: 69_789,
  accepted: 69_288,
  syncErrors: 501,
  casesWithSyncError: 21,
  err: {
    'create of an existing record with other values': 133,
    'delete of a changed record': 98,
    'field changed by the other device': 149,
    'edit of a deleted record': 121,
  },
};
const ERROR_LIST_SHA256 = '7550c4a107ca5902';

/** Uploads that the reference counts as accepted, and that here never go up: they wait behind a refused one of the same record. */
const HELD = 1;

const folder = findRealData('openstates');
if (folder === null) console.warn('skipped: the data set openstates is not beside the project');

describe('openstates, every two-device case', () => {
  test.skipIf(folder === null)('A19, B13, C11: sync errors are those of the reference; with half undone and half kept, devices and server agree and the journal has what was undone', { timeout: 600_000 }, async () => {
    const startedAt = performance.now();
    const { counts, held, errorListSha256, resolved } = await playCases(folder!);
    console.log(`openstates: ${counts.uploads} uploads of ${counts.cases} cases, ${JSON.stringify(resolved)}, ${held} held, in ${Math.round((performance.now() - startedAt) / 1000)} s`);
    expect({ ...counts, held }).toEqual({ ...REFERENCE, accepted: REFERENCE.accepted - HELD, held: HELD });
    expect(errorListSha256).toBe(ERROR_LIST_SHA256);
    expect(resolved.undone + resolved.kept + resolved.recreated - resolved.followed).toBe(REFERENCE.syncErrors);
  });
});
