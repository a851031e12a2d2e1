import { describe, expect, test } from 'vitest';
import { reference } from '../../src/schema.ts';
import { findRealData } from '../support/real-data.ts';
import type { LogMapping } from './edit-log.ts';
import { describeCost, playLog } from './play-log.ts';

/**
 * Transaction groups here: a person with roles, offices and identifiers, and a committee with its members. In the log a person is changed
 * together with what hangs on it in one of three cases, and the ids below are natural keys: who renames an office deletes one and creates
 * another. Half of a family would show it twice, or not at all. None has more than 104 records, so a page holds it. Who a member is, is a
 * plain reference: it leads from one family to another, and blocks nothing.
 */
const MAPPING: LogMapping = { masterOf: () => 'group', fields: { member: { person_id: reference('person') } } };

/**
 * By default one family in five takes part, in every transaction of the log. FIELDTIDE_LONG=1 plays all of them, with transactions of up to
 * 21,893 records, for many minutes.
 */
const isLong = process.env.FIELDTIDE_LONG === '1';
const ONE_IN = isLong ? 1 : 5;

/** Larger transactions than this are one save of the server's. */
const IMPORT_FROM = 100;

const folder = findRealData('openstates');
if (folder === null) console.warn('skipped: the data set openstates is not beside the project');

describe('openstates, the whole edit log', () => {
  test.skipIf(folder === null)('A29, A30, A34, A35: through one device in upload order; two that poll with any page size, go offline and are killed end as the last snapshot, as does the server', { timeout: 3_600_000 }, async () => {
    const startedAt = performance.now();
    const played = await playLog({ folder: folder!, seed: 11, importFrom: IMPORT_FROM, oneIn: ONE_IN, ...MAPPING });
    console.log(describeCost('openstates', played, startedAt));
    if (isLong) expect(played).toMatchObject({ transactions: 676, edits: 276_810, largest: 21_893 });
    else expect(Math.min(played.edits / 40_000, played.largest / 3_000)).toBeGreaterThan(1);
    expect(Math.min(played.kills, played.spells, played.lookedAt)).toBeGreaterThan(3);
  });
});
