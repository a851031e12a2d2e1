import { afterEach, describe, expect, test } from 'vitest';
import type { RecordView } from '../../src/client/engine.ts';
import { defineSchema, integer, parent, serverOwned, text } from '../../src/schema.ts';
import type { Commit, Storage, StorageAdapter } from '../../src/storage/storage-adapter.ts';
import { memory } from '../../src/storage/memory.ts';
import { forgePage, holdBack } from '../support/forged-page.ts';
import { createWorld, listOnline, put, type Intercept, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    note: { fields: { title: text() } },
    account: { fields: { name: text(), city: text() } },
    visit: { mode: 'override', fields: { account: parent('account'), note: text() } },
    photo: { mode: 'override', fields: { visit: parent('visit', { group: true }), title: text() } },
    order: { mode: 'override', fields: { note: text(), lines: serverOwned(integer()) } },
    line: { mode: 'override', fields: { order: parent('order', { group: true }), product: text() } },
  },
});

let world: World<typeof schema>;
afterEach(() => world.close());

const LINES = 25;

/** The tablet has saved a note, an order of many lines, and a note; a page has no more than ten records. */
async function saveLarge(options: { readonly storage?: StorageAdapter } = {}): Promise<{ tablet: TestDevice; phone: TestDevice }> {
  world = createWorld(schema, { limits: { pageItems: 10 }, objects: { order: { formulas: ({ children }) => ({ lines: children.line.length }) } } });
  const [tablet, phone] = [await world.device('ann'), await world.device('ann', options)];
  await tablet.engine.create('note', { title: 'before' }, 'n1');
  await tablet.engine.save([put('create', 'order', 'o1', { note: 'new' }), ...Array.from({ length: LINES }, (_, index) => put('create', 'line', `l${String(index).padStart(2, '0')}`, { order: 'o1', product: 'gauze' }))]);
  await tablet.engine.create('note', { title: 'after' }, 'n2');
  await tablet.engine.exchange();
  return { tablet, phone };
}

async function expectAlike({ engine }: TestDevice): Promise<void> {
  for (const object of ['note', 'account', 'visit', 'photo', 'order', 'line']) expect((await engine.query({ object })).map(({ id, values }) => ({ id, ...values }))).toEqual(await listOnline(world, object));
}

async function countOn({ engine }: TestDevice): Promise<number[]> {
  return Promise.all(['note', 'order', 'line'].map(async (object) => (await engine.query({ object })).length));
}

/** Runs something before each request for a part but the first. */
function beforeParts(run: (part: number) => void | Promise<void>): Intercept {
  let part = 0;
  return async (request, send) => {
    if (request.path.includes('revision=')) await run(++part);
    return send(request);
  };
}

const LOST = (): never => {
  throw new TypeError('no way there');
};

describe('A35: an order that is larger than a page', () => {
  test('is not seen before all of it is here, and is seen at once then', async () => {
    const { phone } = await saveLarge();
    const moments: number[][] = [], lists: number[] = [];
    await phone.engine.watchQuery({ object: 'line' }, (records: readonly RecordView[]) => void lists.push(records.length));
    phone.intercept(beforeParts(async () => void moments.push(await countOn(phone))));
    await phone.engine.exchange();
    expect(moments).toEqual([[1, 0, 0], [1, 0, 0]]);
    expect(lists).toEqual([0, LINES]);
    expect(phone.events.filter(({ type }) => type.startsWith('feed:part'))).toEqual([
      ...[0, 1, 2].map((place) => ({ type: 'feed:part-staged', place, restarts: 0 })),
      { type: 'feed:parts-applied', parts: 3, records: LINES + 1, keptAside: 0 },
    ]);
    expect(await countOn(phone)).toEqual([2, 1, LINES]);
    await expectAlike(phone);
  });

  test('goes on after a restart where it was cut off', async () => {
    const disk = memory();
    const { phone } = await saveLarge({ storage: disk });
    phone.intercept(beforeParts((part) => (part === 2 ? LOST() : undefined)));
    await phone.engine.exchange();
    expect(await countOn(phone)).toEqual([1, 0, 0]);
    await phone.engine.close();
    const again = await world.device('ann', { storage: disk });
    await again.engine.exchange();
    expect(again.events.filter(({ type }) => type === 'feed:part-staged')).toEqual([{ type: 'feed:part-staged', place: 2, restarts: 0 }]);
    await expectAlike(again);
  });

  test('begins anew when it was changed between two parts, and leaves nothing of the first reading', async () => {
    const { tablet, phone } = await saveLarge();
    phone.intercept(beforeParts(async (part) => {
      if (part !== 2) return;
      await tablet.engine.remove('line', 'l03');
      await tablet.engine.exchange();
    }));
    await phone.engine.exchange();
    // The delete is a save of its own behind another, and comes with all of the order too.
    const staged = phone.events.flatMap((event) => (event.type === 'feed:part-staged' ? [[event.place, event.restarts]] : []));
    expect(staged).toEqual([[0, 0], [1, 0], [0, 1], [1, 1], [2, 1], [0, 0], [1, 0], [2, 0]]);
    expect(await countOn(phone)).toEqual([2, 1, LINES - 1]);
    await expectAlike(phone);
  });

  test('is read to its end while lines change that were sent already, and ends as the server has them', async () => {
    const { tablet, phone } = await saveLarge();
    let changes = 0;
    phone.intercept(beforeParts(async () => {
      if (changes === 5) return;
      await tablet.engine.update('line', 'l03', { product: `tape ${++changes}` });
      await tablet.engine.exchange();
    }));
    await phone.engine.exchange();
    expect(phone.events.flatMap((event) => (event.type === 'feed:part-staged' ? [event.restarts] : []))).toEqual(Array.from({ length: 12 }, () => 0));
    await expectAlike(phone);
  });

  test('that changes again and again is read anew with the next polls, not without end', async () => {
    const { tablet, phone } = await saveLarge();
    let changes = 0;
    phone.intercept(beforeParts(async () => {
      await tablet.engine.update('line', 'l24', { product: `tape ${++changes}` });
      await tablet.engine.exchange();
    }));
    await phone.engine.exchange();
    expect(changes).toBe(8);
    expect(await countOn(phone)).toEqual([1, 0, 0]);
    phone.intercept(null);
    await phone.engine.exchange();
    await expectAlike(phone);
  });

  test('is kept aside whole while a line of it waits for its upload, and merged whole after that', async () => {
    const { tablet, phone } = await saveLarge();
    await phone.engine.exchange();
    await tablet.engine.save([put('update', 'order', 'o1', { note: 'theirs' }), ...Array.from({ length: LINES }, (_, index) => put('update', 'line', `l${String(index).padStart(2, '0')}`, { product: 'tape' }))]);
    await tablet.engine.exchange();
    phone.intercept((request, send) => (request.path === 'upload' ? LOST() : send(request)));
    await phone.engine.update('line', 'l07', { product: 'mine' });
    await phone.engine.exchange();
    const productsOn = async (): Promise<Set<unknown>> => new Set((await phone.engine.query({ object: 'line' })).map(({ values }) => values.product));
    expect(phone.events.at(-1)).not.toMatchObject({ type: 'feed:part-staged' });
    expect(phone.events).toContainEqual({ type: 'feed:parts-applied', parts: 3, records: LINES + 1, keptAside: LINES + 1 });
    expect(await productsOn()).toEqual(new Set(['gauze', 'mine']));
    expect((await phone.engine.get('order', 'o1'))?.values.note).toBe('new');
    phone.intercept(null);
    await phone.engine.exchange();
    expect(await productsOn()).toEqual(new Set(['tape', 'mine']));
    await expectAlike(phone);
  });

  test('takes no part for the next one that is of another state of the records', async () => {
    const { phone } = await saveLarge();
    let isForged = true;
    const forged = forgePage((page) => (page.part?.place === 1 ? { ...page, part: { ...page.part, revision: 'another' } } : page));
    phone.intercept((request, send) => (isForged ? forged : send)(request, send));
    expect(await phone.engine.exchange()).toMatchObject({ lastFault: { code: 'TRANSPORT_BAD_ANSWER' } });
    expect(phone.events.filter(({ type }) => type === 'feed:part-staged')).toHaveLength(1);
    isForged = false;
    await phone.engine.exchange();
    await expectAlike(phone);
  });

  test('leaves its master as it is while a change of that waits, though it is of no group', async () => {
    const { tablet, phone } = await saveLarge();
    await tablet.engine.create('account', { name: 'St. Mary', city: 'Ghent' }, 'a1');
    await tablet.engine.save([put('create', 'visit', 'v1', { account: 'a1', note: 'first' }), ...Array.from({ length: LINES }, (_, index) => put('create', 'photo', `p${index}`, { visit: 'v1', title: 'a door' }))]);
    for (const { engine } of [tablet, phone]) await engine.exchange();
    await tablet.engine.update('account', 'a1', { city: 'Bruges' });
    await tablet.engine.update('visit', 'v1', { note: 'theirs' });
    await tablet.engine.exchange();
    let isLost = true;
    phone.intercept((request, send) => (isLost && request.path === 'upload' ? LOST() : send(request)));
    await phone.engine.update('account', 'a1', { name: 'St. Anne' });
    await phone.engine.exchange();
    expect((await phone.engine.get('visit', 'v1'))?.values).toMatchObject({ note: 'theirs' });
    expect((await phone.engine.get('account', 'a1'))?.values).toEqual({ name: 'St. Anne', city: 'Ghent' });
    isLost = false;
    await phone.engine.exchange();
    expect((await phone.engine.get('account', 'a1'))?.values).toEqual({ name: 'St. Anne', city: 'Bruges' });
    await expectAlike(phone);
  });

  test('waits whole for a line that nobody has sent, when the parts leave one out', async () => {
    const { phone } = await saveLarge();
    phone.intercept(forgePage((page) => (page.part === null ? page : { ...page, groups: page.groups.map((group) => ({ ...group, others: [{ object: 'line', id: 'unsent', epoch: 1, n: 1 }] })) })));
    await phone.engine.exchange();
    expect(await countOn(phone)).toEqual([2, 0, 0]);
    expect(await phone.engine.status()).toMatchObject({ parked: 1 });
    expect(await phone.engine.explain('order', 'o1')).toEqual([{ code: 'newer-version-waits', because: 'incomplete', missing: [{ object: 'line', id: 'unsent' }] }]);
  });

  test('waits with the order that a line left for it, when the parts name the line and do not have it', async () => {
    const { tablet, phone } = await saveLarge();
    await tablet.engine.save([put('create', 'order', 'o2', {}), put('create', 'line', 'moved', { order: 'o2', product: 'gauze' })]);
    for (const { engine } of [tablet, phone]) await engine.exchange();
    await tablet.engine.save([put('update', 'line', 'moved', { order: 'o1' }), ...Array.from({ length: LINES }, (_, index) => put('update', 'line', `l${String(index).padStart(2, '0')}`, { product: 'tape' }))]);
    await tablet.engine.exchange();
    phone.intercept(forgePage((page) => {
      const held = holdBack(page, (id) => id === 'moved');
      return { ...held, groups: held.groups.map((group, index) => ({ ...group, others: [...page.groups[index]!.others, ...group.others] })) };
    }));
    expect(await phone.engine.exchange()).toMatchObject({ parked: 1 });
    expect(phone.events.filter(({ type }) => type === 'feed:parts-applied')).toHaveLength(2);
    const countsOf = async (): Promise<unknown[]> => (await phone.engine.query({ object: 'order' })).map(({ values }) => values.lines);
    expect(await countsOf()).toEqual([LINES, 1]);
    phone.intercept(null);
    await phone.engine.fetch('line', 'moved');
    expect(await countsOf()).toEqual([LINES + 1, 0]);
    expect(await phone.engine.status()).toMatchObject({ parked: 0 });
    await expectAlike(phone);
  });
});

/** A disk that fails for good with one commit, as when the app is killed there; `null`: never. */
function dyingDisk(inner: StorageAdapter): StorageAdapter & { diesIn: number | null; commits: number } {
  const disk = {
    diesIn: null as number | null,
    commits: 0,
    async open(owner: Parameters<StorageAdapter['open']>[0]): Promise<Storage> {
      const storage = await inner.open(owner);
      return {
        ...Object.fromEntries((['readRecords', 'scanRecords', 'scanState', 'close'] as const).map((name) => [name, storage[name].bind(storage)])),
        async commit(commit: Commit) {
          if (disk.diesIn !== null && disk.commits >= disk.diesIn) throw new Error('the app is gone');
          disk.commits++;
          return storage.commit(commit);
        },
      } as Storage;
    },
  };
  return disk;
}

test('A35: an app that is killed anywhere while the parts are applied shows all of the order at the next opening, or nothing of it', async () => {
  // How many commits there are, on a run that nobody disturbs.
  const whole = dyingDisk(memory());
  const { phone } = await saveLarge({ storage: whole });
  const before = whole.commits;
  await phone.engine.exchange();
  const commits = whole.commits - before;
  await world.close();
  const seen: string[] = [];
  for (let diesIn = 0; diesIn < commits; diesIn++) {
    const inner = memory(), disk = dyingDisk(inner);
    const run = await saveLarge({ storage: disk });
    disk.diesIn = disk.commits + diesIn;
    await run.phone.engine.exchange();
    await run.phone.engine.close();
    const again = await world.device('ann', { storage: inner, lifecycle: { isOnline: false, isForeground: true } });
    const [, orders, lines] = await countOn(again);
    seen.push(`${orders}/${lines}`);
    await again.engine.setLifecycle({ isOnline: true });
    await again.engine.exchange();
    await expectAlike(again);
    await world.close();
  }
  world = createWorld(schema);
  expect(new Set(seen)).toEqual(new Set(['0/0', `1/${LINES}`]));
  // The decision is durable before the first row is: from there on it can only be all.
  expect(seen.filter((count) => count !== '0/0').length).toBeGreaterThanOrEqual(4);
});
