import { describe, expect, test } from 'vitest';
import type { FeedCursor } from '../../src/protocol/messages.ts';
import { defineSchema, parent, text } from '../../src/schema.ts';
import { describeOnBothStores } from '../server/both-stores.ts';
import { memory } from '../../src/server/store/memory.ts';
import type { ServerStore } from '../../src/server/store/server-store.ts';
import { createWorld, type TestChange, type TestDevice } from '../server/harness.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    account: { fields: { name: text() } },
    visit: { fields: { account: parent('account'), body: text() } },
    step: { fields: { visit: parent('visit', { group: true }), body: text() } },
    order: { fields: { notes: text() } },
    line: { fields: { order: parent('order', { group: true }), product: text() } },
    lot: { fields: { line: parent('line', { group: true }), code: text() } },
  },
});

const account = (id: string): TestChange => ({ create: 'account', id, values: { name: id } });
const visit = (id: string, of: string): TestChange => ({ create: 'visit', id, values: { account: of } });
const step = (id: string, of: string): TestChange => ({ create: 'step', id, values: { visit: of, body: 'new' } });
const order = (id: string): TestChange => ({ create: 'order', id, values: { notes: 'new' } });
const line = (id: string, of: string): TestChange => ({ create: 'line', id, values: { order: of, product: 'new' } });
const lot = (id: string, of: string): TestChange => ({ create: 'lot', id, values: { line: of, code: 'new' } });
const edit = (object: string, id: string, field: string, to: string, from: string | null = 'new'): TestChange => ({ update: object, id, from: { [field]: from }, to: { [field]: to } });
const move = (id: string, from: string, to: string): TestChange => ({ update: 'line', id, from: { order: from }, to: { order: to } });

type Page = NonNullable<Awaited<ReturnType<TestDevice['poll']>>>;

/** The groups of a page, each with the ids and states of its members. */
const groupsOf = ({ groups, images }: Page): unknown => groups.map(({ object, id, members, others }) => [`${object} ${id}`, members.map((index) => `${images[index]!.id} ${images[index]!.state}`), others.length]);
const idsOf = ({ images }: Page): string[] => images.map(({ id }) => id);

describeOnBothStores('a page of the feed', (newWorld) => {
  test('A35: has every live member of each group that it touches, in a manifest, and the master of every child', async () => {
    const { device } = newWorld({ schema });
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, order('o1'), line('l1', 'o1'), line('l2', 'o1'), lot('t1', 'l1'), order('o2'), line('l9', 'o2'));
    await tablet.save(2, account('a1'), visit('v1', 'a1'), visit('v2', 'a1'), step('s1', 'v1'), step('s2', 'v1'), step('s3', 'v2'));
    const { next } = (await phone.poll(null))!;
    await tablet.save(3, edit('lot', 't1', 'code', 'x'));
    const page = (await phone.poll(next))!;
    expect(page.saves[0]!.images.map(({ id }) => id).sort()).toEqual(['l1', 'o1', 't1']);
    expect(idsOf(page).sort()).toEqual(['l1', 'l2', 'o1', 't1']);
    expect(groupsOf(page)).toEqual([['order o1', expect.arrayContaining(['o1 live', 'l1 live', 'l2 live', 't1 live']), 0]]);
    // The account is a master, not a member: its other visits stay where they are.
    await tablet.save(4, edit('step', 's1', 'body', 'x'));
    const other = (await phone.poll(page.next))!;
    expect(idsOf(other).sort()).toEqual(['a1', 's1', 's2', 'v1']);
    expect(groupsOf(other)).toEqual([['visit v1', expect.arrayContaining(['v1 live', 's1 live', 's2 live']), 0]]);
    expect(other.groups[0]!.members).toHaveLength(3);
  });

  test('A35: counts what comes along: a group is never on two pages in two states', async () => {
    const { device } = newWorld({ schema });
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, order('o1'), line('l1', 'o1'), line('l2', 'o1'));
    await tablet.save(2, order('o2'), line('l3', 'o2'), line('l4', 'o2'));
    const { next } = (await phone.poll(null))!;
    await tablet.save(3, edit('line', 'l1', 'product', 'x'));
    await tablet.save(4, edit('line', 'l2', 'product', 'x'));
    await tablet.save(5, edit('line', 'l3', 'product', 'x'));
    const first = (await phone.poll(next, 5))!;
    expect([first.saves.map(({ number }) => number), idsOf(first).sort(), first.more]).toEqual([[3, 4], ['l1', 'l2', 'o1'], true]);
    const second = (await phone.poll(first.next, 5))!;
    expect([second.saves.map(({ number }) => number), idsOf(second).sort(), second.more]).toEqual([[5], ['l3', 'l4', 'o2'], false]);
    expect(idsOf((await phone.poll(next, 6))!)).toHaveLength(6);
  });

  test('A35: a line that moved is with its new group, and the old group comes without it', async () => {
    const { device } = newWorld({ schema });
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, order('o1'), line('l1', 'o1'), line('l2', 'o1'), order('o2'), line('l3', 'o2'));
    const { next } = (await phone.poll(null))!;
    await tablet.save(2, move('l2', 'o1', 'o2'));
    expect(new Map(((await phone.poll(next))!).groups.map(({ id, members }) => [id, members.length]))).toEqual(new Map([['o1', 2], ['o2', 3]]));
  });

  test('A35: what was deleted is listed with the group that it was in', async () => {
    const { device } = newWorld({ schema });
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, order('o1'), line('l1', 'o1'), line('l2', 'o1'));
    const { next } = (await phone.poll(null))!;
    await tablet.save(2, { remove: 'line', id: 'l1' });
    const page = (await phone.poll(next))!;
    expect(groupsOf(page)).toEqual([['order o1', expect.arrayContaining(['l1 deleted', 'l2 live', 'o1 live']), 0]]);
    await tablet.save(3, { remove: 'line', id: 'l2' }, { remove: 'order', id: 'o1' });
    expect(groupsOf((await phone.poll(page.next))!)).toEqual([['order o1', expect.arrayContaining(['l2 deleted', 'o1 deleted']), 0]]);
  });

  test('A35: a member that the reader may not see is not in the manifest, and one that was on the feed is a removal', async () => {
    const hidden = new Set<string>();
    const { device } = newWorld({ schema, canSee: (_, { id }) => !hidden.has(id) });
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, order('o1'), line('l1', 'o1'), line('l2', 'o1'));
    hidden.add('l2');
    const page = (await phone.poll(null))!;
    expect(groupsOf(page)).toEqual([['order o1', expect.arrayContaining(['o1 live', 'l1 live']), 0]]);
    expect(page.groups[0]!.members).toHaveLength(2);
    expect(page.images.find(({ id }) => id === 'l2')).toMatchObject({ state: 'hidden', values: null, version: [1, 1] });
    await tablet.save(2, edit('line', 'l1', 'product', 'x'));
    expect(idsOf((await phone.poll(page.next))!).sort()).toEqual(['l1', 'o1']);
  });

  test('A35: a master that the reader may not see is told of, with a version that says nothing', async () => {
    const { device } = newWorld({ schema, canSee: ({ user }, { id }) => user !== 'ann' || id !== 'a1' });
    await device('bob').save(1, account('a1'), visit('v1', 'a1'));
    await device('bob').save(2, { update: 'account', id: 'a1', from: { name: 'a1' }, to: { name: 'x' } });
    await device('ann').save(1, edit('visit', 'v1', 'body', 'x', null));
    const page = (await device('ann').poll(null))!;
    expect(page.images.map(({ id, state, version }) => [id, state, version])).toEqual([['v1', 'live', [1, 2]], ['a1', 'hidden', [0, 1]]]);
    expect(page.saves[0]!.images.map(({ id }) => id)).toEqual(['v1']);
  });

  test('A35: a group below a member that is hidden does not say what is above it', async () => {
    const hidden = new Set<string>();
    const { device } = newWorld({ schema, canSee: (_, { id }) => !hidden.has(id) });
    const tablet = device('ann');
    await tablet.save(1, order('o1'), line('l1', 'o1'), line('l2', 'o1'), lot('t1', 'l1'), lot('t2', 'l1'));
    const { next } = (await tablet.poll(null))!;
    await tablet.save(2, edit('lot', 't1', 'code', 'x'));
    hidden.add('l1');
    expect(new Map(((await tablet.poll(next))!).groups.map(({ object, id, members }) => [`${object} ${id}`, members.length]))).toEqual(new Map([['line l1', 2], ['order o1', 2]]));
    expect((await tablet.record('lot', 't2')).groups).toEqual([{ object: 'line', id: 'l1', members: [0, 1], others: [] }]);
    expect((await tablet.record('lot', 't2')).images.map(({ id, version }) => [id, version])).toEqual([['t2', [1, 1]], ['t1', [1, 2]], ['l1', [0, 1]]]);
  });

  test('A35: the answer for one record says who is in its group', async () => {
    const { device } = newWorld({ schema });
    await device('ann').save(1, account('a1'), visit('v1', 'a1'), visit('v2', 'a1'), step('s1', 'v1'), step('s2', 'v1'), step('s3', 'v2'));
    const answer = await device('ann').record('step', 's2');
    expect(answer.images.map(({ id }) => id)).toEqual(['s2', 'v1', 's1', 'a1']);
    expect(answer.groups).toEqual([{ object: 'visit', id: 'v1', members: [0, 1, 2], others: [] }]);
  });
});

/** Asks for all parts of what comes next, and returns them. */
async function readParts(device: TestDevice, from: FeedCursor | null, limit?: number, between: (place: number) => Promise<void> = async () => {}): Promise<Page[]> {
  const pages: Page[] = [];
  for (let query = {}, turn = 0; turn < 100; turn++) {
    const page = (await device.poll(from, limit, query))!;
    pages.push(page);
    const { part } = page;
    if (part === null || part.next === null) return pages;
    query = { revision: part.revision, object: part.next.object, id: part.next.id };
    await between(turn);
  }
  throw new Error('there is no end to the parts');
}

const manyLines = (count: number, of = 'o1'): TestChange[] => Array.from({ length: count }, (_, index) => line(`l${String(index).padStart(3, '0')}`, of));

describeOnBothStores('a save that is more than a page', (newWorld) => {
  test('A29: comes by itself, in parts; the cursor moves with the last', async () => {
    const { device } = newWorld({ schema });
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, account('a0'));
    await tablet.save(2, order('o1'), ...manyLines(24));
    await tablet.save(3, account('a9'));
    const small = (await phone.poll(null, 10))!;
    expect([small.saves.map(({ number }) => number), small.part, small.more]).toEqual([[1], null, true]);
    const parts = await readParts(phone, small.next, 10);
    expect(parts.map(({ images, part, more, next, saves }) => [images.length, part!.place, more, next.position, saves.map(({ number, images: own }) => [number, own.length])])).toEqual([
      [10, 0, true, 1, [[2, 10]]], [10, 1, true, 1, [[2, 10]]], [5, 2, true, 2, [[2, 5]]],
    ]);
    expect(new Set(parts.map(({ part }) => part!.revision)).size).toBe(1);
    expect(new Set(parts.flatMap(idsOf)).size).toBe(25);
    expect(parts.flatMap(({ groups }) => groups.flatMap(({ id, members }) => members.map(() => id)))).toEqual(Array.from({ length: 25 }, () => 'o1'));
    expect((await phone.poll(parts.at(-1)!.next))!.saves.map(({ number }) => number)).toEqual([3]);
  });

  test('A35: one line of an order that is more than a page brings the order in parts', async () => {
    const { device } = newWorld({ schema });
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, order('o1'), ...manyLines(11));
    const { next } = (await phone.poll(null))!;
    await tablet.save(2, edit('line', 'l003', 'product', 'x'));
    const parts = await readParts(phone, next, 5);
    expect(parts.map(({ images, saves }) => [images.length, saves[0]!.images.map(({ id }) => id)])).toEqual([[5, ['l003']], [5, []], [2, ['o1']]]);
  });

  const beginsAnew: [string, (tablet: TestDevice) => Promise<unknown>][] = [
    ['a record of it that is still to come is edited', (tablet) => tablet.save(9, edit('line', 'l020', 'product', 'x'))],
    ['a record of it that is still to come is deleted', (tablet) => tablet.save(9, { remove: 'line', id: 'l023' })],
  ];
  const goesOn: [string, (tablet: TestDevice) => Promise<unknown>][] = [
    ['a record that was sent already is edited', (tablet) => tablet.save(9, edit('line', 'l000', 'product', 'x'))],
    ['a record that was sent already is deleted', (tablet) => tablet.save(9, { remove: 'line', id: 'l010' })],
    ['a record joins its group', (tablet) => tablet.save(9, line('zz', 'o1'))],
  ];
  const twoServers = (): { tablet: TestDevice; phone: (turn: number) => TestDevice } => {
    const worlds = [newWorld({ schema })];
    worlds.push(createWorld({ schema, store: worlds[0]!.store, ...worlds[0]!.scope }));
    return { tablet: worlds[0]!.device('ann'), phone: (turn) => worlds[turn % 2]!.device('ann', 'ann-phone') };
  };

  test.each(beginsAnew)('A35: begins anew under another revision when %s', async (_case, change) => {
    const { device } = newWorld({ schema });
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, order('o1'), ...manyLines(24));
    const parts = await readParts(phone, null, 10, async (place) => void (place === 1 && (await change(tablet))));
    expect(parts.map(({ part }) => part!.place).slice(0, 5)).toEqual([0, 1, 0, 1, 2]);
    expect(new Set(parts.map(({ part }) => part!.revision)).size).toBe(2);
    const later = parts.slice(2);
    expect(later.at(-1)!.next.position).toBe(2);
    expect(new Set(later.flatMap(({ images }) => images.map(({ id }) => id))).size).toBe(later.reduce((sum, { images }) => sum + images.length, 0));
  });

  test.each(goesOn)('A35: goes on when %s: all parts together are what it was when the first was sent, and the change comes with its own save', async (_case, change) => {
    const { device } = newWorld({ schema });
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, order('o1'), ...manyLines(24));
    const parts = await readParts(phone, null, 10, async (place) => void (place === 1 && (await change(tablet))));
    expect(parts.map(({ part, more }) => [part!.place, more])).toEqual([[0, true], [1, true], [2, true]]);
    expect(parts.flatMap(({ images }) => images.map(({ state, values }) => [state, values!.product ?? values!.notes]))).toEqual(Array.from({ length: 25 }, () => ['live', 'new']));
    expect(parts.at(-1)!.next.position).toBe(1);
    const after = await readParts(phone, parts.at(-1)!.next, 10);
    expect(after.flatMap(({ saves }) => saves.map(({ number }) => number))).toEqual(after.map(() => 9));
  });

  test.each([...beginsAnew, ...goesOn])('A35: from servers by turns, is of one state too when %s', async (_case, change) => {
    const { tablet, phone } = twoServers();
    await tablet.save(1, order('o1'), ...manyLines(24));
    let turn = 0, asked: FeedCursor | null = null;
    const parts: Page[] = [];
    for (let query = {}; parts.at(-1)?.part?.next !== null; turn++) {
      const page = (await phone(turn).poll(asked, 10, query))!;
      const { revision, next } = page.part!;
      parts.push(page);
      query = { revision, ...next };
      asked = null;
      if (turn === 1) await change(tablet);
    }
    const last = parts.at(-1)!.part!.revision;
    const taken = parts.filter(({ part }) => part!.revision === last).slice(-3).flatMap(({ images }) => images.map(({ id }) => id));
    expect(new Set(taken).size).toBe(taken.length);
    expect(taken.filter((id) => id !== 'zz').length).toBeGreaterThanOrEqual(24);
    expect(turn).toBeLessThan(8);
  });

  test('A29: whoever edited its records one by one since has all of them sent once', async () => {
    const { device } = newWorld({ schema });
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, order('o1'), ...manyLines(24));
    const { next } = (await readParts(phone, null, 10)).at(-1)!;
    for (let number = 2; number <= 10; number++) await tablet.save(number, edit('line', `l${String(number).padStart(3, '0')}`, 'product', 'x'));
    await tablet.save(11, account('a1'));
    const parts = await readParts(phone, next, 10);
    expect(parts.map(({ images, next: { position }, more }) => [images.length, position, more])).toEqual([[10, 1, true], [10, 1, true], [5, 10, true]]);
    expect(parts.map(({ saves }) => saves.flatMap(({ images }) => images.map(({ id }) => id)).length)).toEqual([8, 1, 9]);
    expect((await phone.poll(parts.at(-1)!.next, 10))!.saves.map(({ number }) => number)).toEqual([11]);
  });

  test('A35: goes on when only something else changes', async () => {
    const { device } = newWorld({ schema });
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, order('o1'), ...manyLines(24));
    const parts = await readParts(phone, null, 10, async (place) => void (await tablet.save(10 + place, account(`a${place}`))));
    expect(parts.map(({ part }) => part!.place)).toEqual([0, 1, 2]);
  });

  test('A31: whose cursor was refused says so with every part', async () => {
    const { device } = newWorld({ schema });
    await device('ann').save(1, order('o1'), ...manyLines(14));
    const cursor = { ...(await device('ann').poll(null))!.next, position: 99 };
    const parts = await readParts(device('ann', 'ann-phone'), cursor, 10);
    expect(parts.map(({ gap, from, next }) => [gap, from.position, next.position])).toEqual([['ahead', 0, 0], ['ahead', 0, 1]]);
  });
});

describe('the parts of a save', () => {
  test('cost no more than what is in them, however much there is around, also where the host says who sees what', async () => {
    const looked: string[] = [];
    const counting = <T extends object>(view: T): T => new Proxy(view, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...given: unknown[]): unknown => {
          if (Array.isArray(given[0])) looked.push(...given[0].map(() => String(name)));
          return Reflect.apply(method, target, given);
        };
      },
    });
    const store = memory();
    const counted: ServerStore = { ...store, read: (tenant, work) => store.read(tenant, (view) => work(counting(view))) };
    let asked = 0;
    const { device } = createWorld({ schema, store: counted, canSee: () => ++asked > 0 });
    await device('ann').save(1, order('o1'), ...manyLines(240));
    const costs: [number, number][] = [];
    const note = async (): Promise<void> => {
      costs.push([looked.splice(0).filter((name) => name !== 'readHeads').length, asked]);
      asked = 0;
    };
    await readParts(device('ann', 'ann-phone'), null, 10, note);
    expect(costs[0]![0]).toBeGreaterThan(240);
    expect(costs.slice(1)).toEqual(Array.from({ length: 23 }, () => [10, 10]));
  });

  test('hold no more bytes than a page may', async () => {
    const { device } = createWorld({ schema, limits: { bodyBytes: 50_000 } });
    const tablet = device('ann');
    await tablet.save(1, order('o1'));
    for (const number of [2, 3, 4]) await tablet.save(number, { create: 'line', id: `l${number}`, values: { order: 'o1', product: 'x'.repeat(20_000) } });
    const { next } = (await readParts(tablet, null)).at(-1)!;
    await tablet.save(5, edit('order', 'o1', 'notes', 'x'));
    const parts = await readParts(tablet, { ...next, position: 4 });
    expect(parts.map(({ images }) => images.map(({ id }) => id))).toEqual([['l2', 'l3'], ['l4', 'o1']]);
  });

  test('begin anew when they are asked for in another size, or after a key where none of them ends', async () => {
    const { device } = createWorld({ schema });
    const phone = device('ann', 'ann-phone');
    await device('ann').save(1, order('o1'), ...manyLines(24));
    const { part } = (await phone.poll(null, 10))!;
    const after = { revision: part!.revision, object: part!.next!.object, id: part!.next!.id };
    expect((await phone.poll(null, 10, after))!.part).toMatchObject({ place: 1, revision: part!.revision });
    const other = (await phone.poll(null, 9, after))!.part!;
    expect([other.place, other.revision === part!.revision]).toEqual([0, false]);
    for (const id of ['l003', 'l023', 'nobody', 'o1']) expect((await phone.poll(null, 10, { ...after, id }))!.part!.place).toBe(0);
    expect((await phone.poll(null, 10, { ...after, revision: 'ff-25' }))!.part!.place).toBe(0);
  });

  test('are asked for in a way that can be read', async () => {
    const { device } = createWorld({ schema });
    for (const query of [{ revision: 'x' }, { revision: 'ff-25' }, { revision: 'ff-25', object: 'order' }, { revision: 'ff-25', object: 'order', id: 'x'.repeat(256) }]) {
      expect((await device('ann').get('feed', query)).status).toBe(400);
    }
  });
});
