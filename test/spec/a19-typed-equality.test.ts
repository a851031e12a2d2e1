import { describe, expect, test } from 'vitest';
import { boolean, date, dateTime, decimal, defineSchema, integer, json, multiPicklist, number, picklist, reference, text } from '../../src/schema.ts';
import { createWorld } from '../server/harness.ts';
import { create, entry, remove, update } from './group-schema.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    item: {
      fields: {
        text: text(), kept: text({ emptyText: 'keep' }), integer: integer(), number: number(), decimal: decimal(), boolean: boolean(), date: date(),
        dateTime: dateTime(), picklist: picklist('a', 'b', 'c'), set: multiPicklist('a', 'b', 'c'), reference: reference('item'), json: json(),
      },
    },
  },
});

/** Three different values of each type, as different spellings of one each. `null` is a fourth. */
const VALUES: Readonly<Record<string, readonly (readonly unknown[])[]>> = {
  text: [['a'], ['A'], ['a ']],
  kept: [['a'], [''], ['b']],
  integer: [[1, 1.0], [0, -0], [-9007199254740991]],
  number: [[1, 1.0], [0.1], [0, -0]],
  decimal: [['1.5', '1.50', '01.5'], ['0', '-0', '0.00'], ['-1.5']],
  boolean: [[true], [false]],
  date: [['2026-01-01'], ['2026-01-02'], ['0001-01-01']],
  dateTime: [['2026-01-01T00:00:00Z', '2026-01-01T02:00:00+02:00', new Date(Date.UTC(2026, 0, 1))], ['2026-01-01T00:00:00.001Z'], ['1970-01-01T00:00:00Z']],
  picklist: [['a'], ['b'], ['c']],
  set: [[['a', 'b'], ['b', 'a'], ['b', 'a', 'b']], [['a']], [['a', 'b', 'c']]],
  reference: [['x'], ['y'], ['z']],
  json: [[{ k: 1, l: [1, 2] }, { l: [1, 2], k: 1 }], [{ k: 1, l: [2, 1] }], [{ k: null }]],
};

/** What counts as no value. */
const NOTHING: Readonly<Record<string, readonly unknown[]>> = { text: [null, ''], set: [null, []] };

interface Case {
  readonly field: string;
  readonly previous: number;
  readonly next: number;
  readonly current: number;
}

/** By index: the values of the type, and no value at the end. */
const spellings = (field: string): readonly (readonly unknown[])[] => [...VALUES[field]!, NOTHING[field] ?? [null]];

function casesOf(field: string): Case[] {
  const indices = spellings(field).map((_, index) => index);
  return indices.flatMap((previous) => indices.flatMap((next) => indices.map((current) => ({ field, previous, next, current }))));
}

const expectedOf = ({ previous, next, current }: Case): string => (current === next ? 'nothing' : current === previous ? 'written' : 'conflict');

describe('typed equality on the server', () => {
  test.each(Object.keys(VALUES))('A19: %s: current = previous is written, current = new is there already, anything else is a conflict, however it is spelt', async (field) => {
    const { device } = createWorld({ schema });
    const phone = device('ann', 'phone'), tablet = device('ann');
    const values = spellings(field);
    let spelling = 0;
    const spell = (index: number): unknown => values[index]![spelling++ % values[index]!.length];
    const seen = { nothing: 0, written: 0, conflict: 0 } as Record<string, number>;
    for (const [at, each] of casesOf(field).entries()) {
      const id = `r${at}`, name = `${field} ${JSON.stringify(each)}`;
      await phone.save(at + 1, create('item', id, { [field]: spell(each.current) }));
      const result = await tablet.save(at + 1, update('item', id, { [field]: spell(each.previous) }, { [field]: spell(each.next) }));
      const became = result.outcome === 'saved' ? (result.currentImages[0]!.version[1] === 1 ? 'nothing' : 'written') : result.class;
      expect([name, became]).toEqual([name, expectedOf(each)]);
      seen[expectedOf(each)]!++;
      // What the values are called must not have made two of them one.
      const wanted = await phone.save(1_000 + at, create('item', `w${at}`, { [field]: spell(expectedOf(each) === 'conflict' ? each.current : each.next) }));
      expect([name, result.currentImages[0]!.values![field]]).toEqual([name, wanted.currentImages[0]!.values![field]]);
    }
    expect(Object.values(seen).every((count) => count > 0)).toBe(true);
  });

  test('A19: text that keeps empty tells it from no value; other text does not', async () => {
    const { device } = createWorld({ schema });
    const tablet = device('ann');
    await tablet.save(1, create('item', 'r', {}));
    expect(await tablet.save(2, update('item', 'r', { text: '' }, { text: 'x' }))).toMatchObject({ outcome: 'saved' });
    expect(await tablet.save(3, update('item', 'r', { kept: '' }, { kept: 'x' }))).toMatchObject({ class: 'conflict', refusal: { fields: ['kept'] } });
    expect(await tablet.save(4, update('item', 'r', { kept: null }, { kept: '' }))).toMatchObject({ currentImages: [{ values: { kept: '' } }] });
  });

  test('A19: a value that went and came back meanwhile is no conflict', async () => {
    const { device } = createWorld({ schema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await tablet.save(1, create('item', 'r', { text: 'A' }));
    await phone.save(1, update('item', 'r', { text: 'A' }, { text: 'B' }));
    await phone.save(2, update('item', 'r', { text: 'B' }, { text: 'A' }));
    expect(await tablet.save(2, update('item', 'r', { text: 'A' }, { text: 'C' }))).toMatchObject({ outcome: 'saved', committedImages: [{ version: [1, 4], values: { text: 'C' } }] });
  });

  test('A19: one field in conflict refuses all of the entry, and every such field is named with what is online', async () => {
    const { device } = createWorld({ schema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await tablet.save(1, create('item', 'r', { text: 'A', integer: 1, picklist: 'a', date: '2026-01-01' }));
    await phone.save(1, update('item', 'r', { text: 'A', integer: 1, date: '2026-01-01' }, { text: 'B', integer: 2, date: '2026-05-05' }));
    const mine = update('item', 'r', { text: 'A', integer: 1, picklist: 'a', date: '2026-01-01' }, { text: 'C', integer: 3, picklist: 'b', date: '2026-05-05' });
    expect(await tablet.save(2, mine, create('item', 'q', {}))).toMatchObject({
      outcome: 'refused', class: 'conflict', refusal: { member: 0, fields: ['text', 'integer'] }, onlineImage: { values: { text: 'B', integer: 2, picklist: 'a' } },
    });
    expect((await tablet.record('item', 'q')).images).toEqual([]);
  });

  test('A19: different fields of one record on two devices never clash, in either order', async () => {
    for (const order of [[0, 1], [1, 0]]) {
      const { device } = createWorld({ schema });
      const devices = [device('ann'), device('ann', 'phone')];
      await devices[0]!.save(1, create('item', 'r', { text: 'A', integer: 1 }));
      const edits = [update('item', 'r', { text: 'A' }, { text: 'B' }), update('item', 'r', { integer: 1 }, { integer: 2 })];
      for (const each of order) expect((await devices[each]!.save(2, edits[each]!)).outcome).toBe('saved');
      expect((await devices[0]!.record('item', 'r')).images).toMatchObject([{ version: [1, 3], values: { text: 'B', integer: 2 } }]);
    }
  });

  test('A20: a conflict on a record that the user may no longer see is a matter of permission, and shows nothing of it', async () => {
    const { device, server } = createWorld({ schema, canSee: ({ user }, { values }) => user !== 'bob' || values.picklist !== 'c' });
    const other = device('bob');
    await other.save(1, create('item', 'r', { text: 'A', picklist: 'a' }));
    await server.online.save([{ op: 'update', object: 'item', id: 'r', values: { text: 'secret', picklist: 'c' } }]);
    for (const [at, change] of [update('item', 'r', { text: 'A' }, { text: 'B' }), update('item', 'r', { text: 'A' }, { text: 'secret' }), remove('item', 'r', { text: 'A' })].entries()) {
      const refused = await other.save(2 + at, change);
      expect(refused).toMatchObject({ outcome: 'refused', class: 'permission', refusal: { fields: [] }, currentImages: [] });
      expect(JSON.stringify(refused)).not.toContain('secret');
    }
  });

  test('A21: the check comes before validation and triggers: what is in conflict runs none of them', async () => {
    const calls: string[] = [];
    const { device } = createWorld({ schema, objects: { item: { beforeSave: ({ id }) => void calls.push(`before ${id}`), validate: ({ id }) => void calls.push(`validate ${id}`), afterSave: ({ id }) => void calls.push(`after ${id}`) } } });
    const tablet = device('ann');
    await tablet.save(1, create('item', 'r', { text: 'A' }));
    calls.length = 0;
    expect(await tablet.save(2, create('item', 'q', {}), update('item', 'r', { text: 'B' }, { text: 'C' }))).toMatchObject({ class: 'conflict', refusal: { member: 1 } });
    expect(calls).toEqual([]);
  });
});

describe('deletes and creates on the server', () => {
  test('A19: a delete of what changed online is refused, the rest of the same entry with it', async () => {
    const { device, server } = createWorld({ schema });
    const tablet = device('ann');
    await tablet.save(1, create('item', 'r', { text: 'A' }), create('item', 'q', {}));
    await server.online.save([{ op: 'update', object: 'item', id: 'r', values: { text: 'B' } }]);
    expect(await tablet.save(2, remove('item', 'q'), remove('item', 'r', { text: 'A' }))).toMatchObject({ class: 'delete-vs-edit', refusal: { member: 1, fields: ['text'] }, onlineImage: { values: { text: 'B' } } });
    expect(await server.online.list('item')).toHaveLength(2);
    expect(await tablet.save(3, remove('item', 'q'), remove('item', 'r', { text: 'B' }))).toMatchObject({ outcome: 'saved' });
  });

  test('A19: an edit of what was deleted is refused; a create under its id brings it back, and its version goes on', async () => {
    const { device } = createWorld({ schema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await tablet.save(1, create('item', 'r', { text: 'A', integer: 1 }));
    await phone.save(1, remove('item', 'r', { text: 'A', integer: 1 }));
    expect(await tablet.save(2, update('item', 'r', { text: 'A' }, { text: 'B' }))).toMatchObject({ class: 'edit-vs-delete', onlineImage: { state: 'deleted', version: [1, 2] } });
    expect(await tablet.save(3, create('item', 'r', { text: 'B' }))).toMatchObject({ outcome: 'saved', committedImages: [{ version: [1, 3], state: 'live', values: { text: 'B', integer: null } }] });
    expect(await phone.save(2, update('item', 'r', { text: 'B' }, { text: 'C' }))).toMatchObject({ outcome: 'saved' });
  });

  test('A19: a delete of what is gone is saved, whatever the user saw', async () => {
    const { device } = createWorld({ schema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await tablet.save(1, create('item', 'r', { text: 'A' }));
    await phone.save(1, remove('item', 'r'));
    expect(await tablet.save(2, remove('item', 'r', { text: 'Z' }))).toMatchObject({ outcome: 'saved', currentImages: [{ state: 'deleted', version: [1, 2] }] });
  });

  test('A15: the delete of a whole group is one entry: one line that changed online keeps all of it', async () => {
    const grouped = defineSchema({ version: 1, objects: { head: { fields: { a: text() } }, part: { fields: { head: { ...reference('head', { required: true }), parent: true, group: true }, b: text() } } } });
    const { device, server } = createWorld({ schema: grouped });
    const tablet = device('ann');
    const h = (n: number) => [{ object: 'head', id: 'h', epoch: n === 0 ? 0 : 1, n }];
    await tablet.saveEntry(entry(1, h(0), create('head', 'h', { a: 'x' }), create('part', 'p1', { head: 'h', b: '1' }), create('part', 'p2', { head: 'h', b: '2' })));
    await server.online.save([{ op: 'update', object: 'part', id: 'p2', values: { b: 'online' } }]);
    const gone = (number: number, b: string) => entry(number, h(1), remove('part', 'p1', { head: 'h', b: '1' }), remove('part', 'p2', { head: 'h', b }), remove('head', 'h', { a: 'x' }));
    expect(await tablet.saveEntry(gone(2, '2'))).toMatchObject({ class: 'delete-vs-edit', refusal: { member: 1, fields: ['b'] } });
    expect(await server.online.list('part')).toHaveLength(2);
    expect(await tablet.saveEntry(gone(3, 'online'))).toMatchObject({ outcome: 'saved' });
    expect([await server.online.list('part'), await server.online.list('head')]).toEqual([[], []]);
  });
});
