import { describe, expect, test } from 'vitest';
import { findRealData } from '../support/real-data.ts';
import type { LogMapping } from './edit-log.ts';
import { describeCost, playLog } from './play-log.ts';

/**
 * Transaction groups here: an airport with its runways and frequencies. What hangs on an airport repeats its ident, and all of it is published
 * anew when that changes: half of it would show runways of an airport that is not there. Regions hang on a country as their master, but
 * are no group: they are edited one by one, there are up to 194 in a country, and a country says nothing of them.
 */
const MAPPING: LogMapping = { masterOf: (object) => (object === 'region' ? 'parent' : 'group') };

/** Larger transactions than this are one save of the server's: eight of the 1,462, up to 14,876 records each. */
const IMPORT_FROM = 300;

const folder = findRealData('ourairports');
if (folder === null) console.warn('skipped: the data set ourairports is not beside the project');

describe('ourairports, the whole edit log', () => {
  test.skipIf(folder === null)('A29, A30, A34, A35: through one device in upload order; two that poll with any page size, go offline and are killed end as the last snapshot, as does the server', { timeout: 1_800_000 }, async () => {
    const startedAt = performance.now();
    const played = await playLog({ folder: folder!, seed: 12, importFrom: IMPORT_FROM, ...MAPPING });
    console.log(describeCost('ourairports', played, startedAt));
    expect(played).toMatchObject({ transactions: 1_462, edits: 52_861, largest: 14_876 });
    expect(Math.min(played.kills, played.spells)).toBeGreaterThan(5);
  });
});
