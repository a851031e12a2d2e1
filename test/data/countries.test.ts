import { describe, expect, test } from 'vitest';
import { findRealData } from '../support/real-data.ts';
import { playCases } from './two-device-cases.ts';

/** What `data/tools/devices.mjs` prints for this set. */
const REFERENCE = {
  cases: 27,
  uploads: 4_832,
  accepted: 4_829,
  syncErrors: 3,
  casesWithSyncError: 2,
  err: { 'field changed by the other device': 2, 'delete of a changed record': 1 },
};
const ERROR_LIST_SHA256 = '23efb695669eea33';

const folder = findRealData('countries');
if (folder === null) console.warn('skipped: the data set countries is not beside the project');

describe('countries, every two-device case', () => {
  test.skipIf(folder === null)('A19, B13, C11: of wide records too, sync errors are those of the reference, and devices and server agree once each is resolved', { timeout: 600_000 }, async () => {
    const startedAt = performance.now();
    const { counts, held, errorListSha256, resolved } = await playCases(folder!);
    console.log(`countries: ${counts.uploads} uploads of ${counts.cases} cases, ${JSON.stringify(resolved)}, in ${Math.round((performance.now() - startedAt) / 1000)} s`);
    expect({ ...counts, held }).toEqual({ ...REFERENCE, held: 0 });
    expect(errorListSha256).toBe(ERROR_LIST_SHA256);
    expect(resolved.undone + resolved.kept + resolved.recreated - resolved.followed).toBe(REFERENCE.syncErrors);
  });
});
