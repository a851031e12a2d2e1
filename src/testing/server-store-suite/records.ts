import { encodeRow } from '../../protocol/row.ts';
import { createLayout } from '../../protocol/layout.ts';
import type { RecordWrite, StoredRecord } from '../../server/store/server-store.ts';
import { assertEqual } from '../assert.ts';
import { note, NOTE, noteKey, type StoreSuite } from './context.ts';

/** Ids that trip quoting, arrays and collations. */
const ODD_IDS = ['"', '\\', '\\"', '{}', '{a,b}', 'NULL', "it's", 'a,b', ' ', '\n\t', 'é', 'e\u0301', '\u{1F600}', '\uE000', '%_', 'A', 'a', '$1', '\\x00'];

export function describeRecords({ runner, test }: StoreSuite): void {
  runner.describe('records', () => {
    test('come back as they were put, deleted ones included, unknown ones left out', async ({ run }) => {
      const puts = [note('a', 'one', 3, { parentId: 'p', recordId: 'R1' }), note('b', 'two', 2 ** 40, { isDeleted: true })];
      await run((transaction) => transaction.putRecords(puts));
      const found = await run((transaction) => transaction.getRecords([noteKey('b'), noteKey('a'), noteKey('nobody')]));
      const columns = ({ object, id, version, isDeleted, row, parentId, recordId }: Omit<RecordWrite, 'layout'>) => [object, id, version, isDeleted, row, parentId, recordId];
      const sorted = [...found].sort((left, right) => (left.id < right.id ? -1 : 1));
      assertEqual(sorted.map(columns), puts.map(columns), 'every column');
      assertEqual(sorted.map(({ layout }) => layout), [NOTE.hash, NOTE.hash], 'the layouts');
    });

    test('keep their bytes, whatever is in them', async ({ run }) => {
      const bodies = ['\0', 'a\0b\\u0000', '\u{10FFFF}', '"', 'x'.repeat(100_000)];
      const rows = bodies.map((body) => encodeRow(NOTE, { body, extra: { '\0key': [body, '__proto__', 1e300, -0.5, 2 ** 53 - 1] } }));
      await run((transaction) => transaction.putRecords(rows.map((row, index) => note(`r${index}`, '', 1, { row }))));
      for (const [index, row] of rows.entries()) {
        const [found] = await run((transaction) => transaction.getRecords([noteKey(`r${index}`)]));
        assertEqual(found?.row, row, `row ${index}`);
      }
    });

    test('are replaced by a later put', async ({ run }) => {
      await run((transaction) => transaction.putRecords([note('a', 'one', 1, { parentId: 'p', recordId: 'R1' })]));
      await run((transaction) => transaction.putRecords([note('a', 'two', 2, { parentId: 'q', recordId: 'R2' })]));
      assertEqual((await run((transaction) => transaction.getRecords([noteKey('a')]))).map(({ version }) => version), [[1, 2]], 'the version');
      assertEqual(await run((transaction) => transaction.listChildren('note', 'p')), [], 'no longer a child of the old parent');
      assertEqual(await run((transaction) => transaction.findByRecordId('note', 'R1')), null, 'no longer under the old Record ID');
      assertEqual((await run((transaction) => transaction.findByRecordId('note', 'R2')))?.id, 'a', 'found by the new one');
    });

    test('are found under any id', async ({ run }) => {
      await run((transaction) => transaction.putRecords(ODD_IDS.map((id) => note(id, id, 1, { parentId: id, recordId: id }))));
      for (const id of ODD_IDS) {
        assertEqual((await run((transaction) => transaction.lockRecords([noteKey(id)]))).map((record) => record.id), [id], `by key ${JSON.stringify(id)}`);
        assertEqual((await run((transaction) => transaction.listChildren('note', id))).map((record) => record.id), [id], `as a child of ${JSON.stringify(id)}`);
        assertEqual((await run((transaction) => transaction.findByRecordId('note', id)))?.id, id, `by Record ID ${JSON.stringify(id)}`);
      }
    });

    test('are scanned live, by the bytes of their ids, page after page', async ({ run }) => {
      const encoder = new TextEncoder();
      const order = [...ODD_IDS].sort((left, right) => compare(encoder.encode(left), encoder.encode(right)));
      await run((transaction) => transaction.putRecords([...ODD_IDS.map((id) => note(id, id)), note('deleted', '', 1, { isDeleted: true })]));
      await run((transaction) => transaction.putRecords([{ ...note('other', ''), object: 'other' }]));
      const scanned: string[] = [];
      for (let after: string | null = null; ; ) {
        const from: string | null = after;
        const page: readonly StoredRecord[] = await run((transaction) => transaction.scanRecords('note', from, 4));
        scanned.push(...page.map(({ id }) => id));
        if (page.length < 4) break;
        after = page.at(-1)!.id;
      }
      assertEqual(scanned, order, 'the order of the scan');
    });

    test('list the live children of a parent in id order', async ({ run }) => {
      const child = (id: string, parentId: string, isDeleted = false) => note(id, '', 1, { parentId, isDeleted });
      await run((transaction) => transaction.putRecords([child('c', 'p'), child('a', 'p'), child('b', 'p', true), child('d', 'q')]));
      assertEqual((await run((transaction) => transaction.listChildren('note', 'p'))).map(({ id }) => id), ['a', 'c'], 'the children');
    });

    test('have outlines: all but their rows', async ({ run }) => {
      const body = 'x'.repeat(500), row = encodeRow(NOTE, { body });
      await run((transaction) => transaction.putRecords([note('a', body, 7, { parentId: 'p' }), note('b', '', 2, { isDeleted: true })]));
      const found = await run((transaction) => transaction.outlines([noteKey('b'), noteKey('a'), noteKey('nobody')]));
      const sorted = [...found].sort((left, right) => (left.id < right.id ? -1 : 1));
      assertEqual(sorted[0], { object: 'note', id: 'a', version: [1, 7], isDeleted: false, parentId: 'p', byteLength: row.length }, 'every column');
      assertEqual(sorted.map(({ id, isDeleted }) => [id, isDeleted]), [['a', false], ['b', true]], 'deleted ones included, unknown ones left out');
      assertEqual(await run((transaction) => transaction.outlines([])), [], 'of nothing');
    });

    test('list the outlines of the live children of many parents in id order', async ({ run }) => {
      const child = (id: string, parentId: string, isDeleted = false) => note(id, '', 1, { parentId, isDeleted });
      await run((transaction) => transaction.putRecords([child('c', 'p'), child('a', 'q'), child('b', 'p', true), child('d', 'r'), child('e', '{p,q}')]));
      const list = async (...parentIds: string[]) => (await run((transaction) => transaction.childOutlines('note', parentIds))).map(({ id, parentId }) => [id, parentId]);
      assertEqual(await list('p', 'q', 'nobody', 'p'), [['a', 'q'], ['c', 'p']], 'the children of both');
      assertEqual(await list('{p,q}'), [['e', '{p,q}']], 'of an odd parent');
      assertEqual(await list(), [], 'of nobody');
    });

    test('keep the layout that each row names', async ({ run }) => {
      const wider = createLayout('note', [...NOTE.fields, { name: 'rank', type: 'integer' }]);
      await run((transaction) => transaction.putRecords([note('a', 'x'), note('b', 'y', 1, { layout: wider, row: encodeRow(wider, { rank: 7 }) })]));
      const found = await run((transaction) => transaction.getLayout(wider.hash));
      assertEqual([found?.object, found?.hash, found?.fields], ['note', wider.hash, wider.fields], 'the layout');
      assertEqual(await run((transaction) => transaction.getLayout('none')), null, 'an unknown layout');
    });

    test('are put and found by the thousand', async ({ run }) => {
      const ids = Array.from({ length: 2_000 }, (_, index) => `r${index}`);
      await run((transaction) => transaction.putRecords(ids.map((id) => note(id, id))));
      assertEqual((await run((transaction) => transaction.lockRecords(ids.map(noteKey)))).length, 2_000, 'all of them');
    });
  });
}

function compare(left: Uint8Array, right: Uint8Array): number {
  for (let index = 0; index < Math.min(left.length, right.length); index++) if (left[index] !== right[index]) return left[index]! - right[index]!;
  return left.length - right.length;
}
