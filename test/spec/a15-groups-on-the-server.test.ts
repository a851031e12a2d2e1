import { describe, expect, test } from 'vitest';
import { describeOnBothStores } from '../server/both-stores.ts';
import { createWorld, type TestChange, type TestEntry } from '../server/harness.ts';
import { create, entry, groupSchema, header, remove, update } from './group-schema.ts';

const line = (id: string, order: string, quantity = 1): TestChange => create('line', id, { order, product: id, quantity });
const tenLines = (bad?: number): TestChange[] => Array.from({ length: 10 }, (_, index) => line(`l${index + 1}`, 'o1', index + 1 === bad ? 0 : 1));

describeOnBothStores('groups on the server', (newWorld) => {
  test('A15: line 7 of 10 breaks a rule: nothing is online, and the refusal names the line and its field', async () => {
    const { device } = newWorld({ schema: groupSchema });
    const tablet = device('ann');
    const refused = await tablet.saveEntry(entry(1, [header('order', 'o1', 0)], create('order', 'o1', { status: 'open' }), ...tenLines(7)));
    expect(refused).toMatchObject({ outcome: 'refused', class: 'validation', refusal: { member: 7, fields: ['quantity'] }, currentImages: [] });
    expect((await tablet.record('order', 'o1')).images).toEqual([]);
    expect((await tablet.snapshot()).flatMap(({ images }) => images)).toEqual([]);
    expect((await tablet.hello()).server.head).toBe(0);
  });

  test('A15: a header and its lines are saved together, whatever their order in the entry', async () => {
    const { device } = newWorld({ schema: groupSchema });
    const tablet = device('ann');
    const order = create('order', 'o1', { status: 'open' });
    const saved = await tablet.saveEntry(entry(1, [header('order', 'o1', 0)], line('l2', 'o1'), order, line('l1', 'o1')));
    expect(saved.outcome).toBe('saved');
    expect(new Set(saved.committedImages.map(({ id }) => id))).toEqual(new Set(['o1', 'l1', 'l2']));
    expect((await tablet.poll(null))!.saves).toHaveLength(1);
    const gone = await tablet.saveEntry(entry(2, [header('order', 'o1', 1)], remove('order', 'o1'), remove('line', 'l1'), remove('line', 'l2')));
    expect(gone.outcome).toBe('saved');
    expect(gone.committedImages.map(({ state }) => state)).toEqual(['deleted', 'deleted', 'deleted']);
  });

  test('A15: a line that moves touches both groups: when either is submitted, the entry is refused and nothing of it is divided', async () => {
    for (const submitted of ['o1', 'o2']) {
      const { device } = newWorld({ schema: groupSchema });
      const tablet = device('ann'), phone = device('ann', `phone-${submitted}`);
      await tablet.saveEntry(entry(1, [header('order', 'o1', 0)], create('order', 'o1', {}), line('l1', 'o1')));
      await tablet.saveEntry(entry(2, [header('order', 'o2', 0)], create('order', 'o2', {})));
      await phone.saveEntry(entry(1, [header('order', submitted, 1)], update('order', submitted, { status: null }, { status: 'submitted' })));
      const moved = await tablet.saveEntry(entry(3, [header('order', 'o1', 1), header('order', 'o2', 1)], update('line', 'l1', { order: 'o1' }, { order: 'o2' })));
      expect(moved).toMatchObject({ outcome: 'refused', class: 'locked', refusal: { member: 0 } });
      expect((await tablet.record('line', 'l1')).images[0]).toMatchObject({ values: { order: 'o1' } });
    }
  });

  test('A15: lines that move both ways at once wait for each other, and an order that is submitted meanwhile takes and gives none after that', async () => {
    const { device, server, scope } = newWorld({ schema: groupSchema });
    const tablet = device('ann'), both = [header('order', 'o1', 1), header('order', 'o2', 1)];
    const ids = Array.from({ length: 6 }, (_, index) => `l${index}`);
    const home = (index: number): string => `o${(index % 2) + 1}`, away = (index: number): string => `o${2 - (index % 2)}`;
    await tablet.saveEntry(entry(1, [header('order', 'o1', 0), header('order', 'o2', 0)], create('order', 'o1', {}), create('order', 'o2', {}), ...ids.map((id, index) => line(id, home(index)))));
    const moves = ids.map((id, index) => device('ann', `mover-${index}`).saveEntry(entry(1, both, update('line', id, { order: home(index) }, { order: away(index) }))));
    const submitted = device('ann', 'phone').saveEntry(entry(1, [header('order', 'o1', 1)], update('order', 'o1', {}, { status: 'submitted' })));
    const results = await Promise.all(moves);
    expect((await submitted).outcome).toBe('saved');
    for (const [index, result] of results.entries()) {
      expect(['saved', 'locked']).toContain(result.class ?? result.outcome);
      expect(await server.online.get('line', ids[index]!, scope)).toMatchObject({ values: { order: result.outcome === 'saved' ? away(index) : home(index) } });
    }
    // Wherever it is by now: it does not come to the submitted order any more.
    const late = await device('ann', 'mover-0').saveEntry(entry(2, both, update('line', 'l0', {}, { order: 'o1', product: 'x' })));
    expect(['refused', 'discarded']).toContain(late.outcome);
  });

  test('A15: a grandchild counts for the header at the top, also one whose parent is created by the same entry', async () => {
    const { device } = newWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await tablet.saveEntry(entry(1, [header('call', 'c1', 0)], create('call', 'c1', { name: 'x' }), create('callSample', 's1', { call: 'c1', quantity: 1 })));
    await phone.saveEntry(entry(1, [header('call', 'c1', 1)], update('call', 'c1', {}, { status: 'submitted' })));
    const below = await tablet.saveEntry(entry(2, [header('call', 'c1', 1)], create('sampleLot', 'k1', { sample: 's1', lot: 'A' })));
    expect(below).toMatchObject({ outcome: 'needsDuplicate', header: 0 });
    const both = entry(3, [header('call', 'c1', 1)], create('sampleLot', 'k2', { sample: 's2' }), create('callSample', 's2', { call: 'c1', quantity: 1 }));
    expect(await tablet.saveEntry(both)).toMatchObject({ outcome: 'needsDuplicate', header: 0 });
  });
});

describe('groups on the server', () => {
  test('A15: the headers that an entry names are not trusted: a wrong or a missing one does not open a submitted group', async () => {
    const { device } = createWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await tablet.saveEntry(entry(1, [header('order', 'o1', 0)], create('order', 'o1', {}), line('l1', 'o1')));
    await tablet.saveEntry(entry(2, [header('order', 'o2', 0)], create('order', 'o2', {})));
    await phone.saveEntry(entry(1, [header('order', 'o1', 1)], update('order', 'o1', {}, { status: 'submitted' })));
    const change = update('line', 'l1', { product: 'l1' }, { product: 'x' });
    // Without the version that the user saw, nobody can say that the submission came later: refused, so that nothing is lost.
    for (const [number, headers] of [[3, []], [4, [header('order', 'o2', 1)]], [5, [header('order', 'nobody', 9)]], [6, [header('line', 'l1', 1)]]] as const) {
      expect(await tablet.saveEntry(entry(number, headers, change))).toMatchObject({ outcome: 'refused', class: 'locked', onlineImage: { id: 'l1' } });
    }
    const named = await tablet.saveEntry(entry(7, [header('order', 'o2', 1), header('order', 'o1', 1)], change));
    expect(named).toMatchObject({ outcome: 'discarded', header: 1 });
  });

  test('A15: an entry without headers is saved as long as no group is submitted', async () => {
    const { device } = createWorld({ schema: groupSchema });
    const tablet = device('ann');
    await tablet.saveEntry(entry(1, [], create('order', 'o1', {}), line('l1', 'o1')));
    expect((await tablet.saveEntry(entry(2, [], update('line', 'l1', {}, { product: 'x' })))).outcome).toBe('saved');
    expect((await tablet.saveEntry(entry(3, [header('order', 'someone', 7)], update('line', 'l1', {}, { product: 'y' })))).outcome).toBe('saved');
  });

  test('C2: the headers and the original of a copy are part of what a number stands for', async () => {
    const { device } = createWorld({ schema: groupSchema });
    const tablet = device('ann');
    const first: TestEntry = entry(1, [header('order', 'o1', 0)], create('order', 'o1', {}));
    expect((await tablet.saveEntry(first)).outcome).toBe('saved');
    expect((await tablet.saveEntry(first)).outcome).toBe('saved');
    for (const headers of [[], [header('order', 'o2', 0)], [header('order', 'o1', 1)], [header('order', 'o1', 0), header('order', 'o2', 0)]]) {
      expect((await tablet.saveEntry({ ...first, headers })).outcome).toBe('copied');
    }
    expect((await tablet.saveEntry({ ...first, duplicateOf: { object: 'order', id: 'o9' } })).outcome).toBe('copied');
  });

  test('A15: more records or bytes than a transaction may have are refused as too large, never divided', async () => {
    const { device } = createWorld({ schema: groupSchema, limits: { members: 5, entryBytes: 2_000 } });
    const tablet = device('ann');
    const many = entry(1, [header('order', 'o1', 0)], create('order', 'o1', {}), ...tenLines());
    expect(await tablet.saveEntry(many)).toMatchObject({ outcome: 'refused', class: 'too-large' });
    const big = entry(2, [header('order', 'o1', 0)], create('order', 'o1', { notes: 'x'.repeat(2_000) }));
    expect(await tablet.saveEntry(big)).toMatchObject({ outcome: 'refused', class: 'too-large' });
    expect((await tablet.record('order', 'o1')).images).toEqual([]);
  });

  test('A22: nothing is added to, or moved into, what is left of a group whose header was deleted online', async () => {
    const { device, server } = createWorld({ schema: groupSchema });
    const tablet = device('ann');
    await tablet.saveEntry(entry(1, [header('call', 'c1', 0)], create('call', 'c1', { name: 'v' }), create('callSample', 's1', { call: 'c1', quantity: 1 })));
    await tablet.saveEntry(entry(2, [header('call', 'c2', 0)], create('call', 'c2', { name: 'w' }), create('callSample', 's2', { call: 'c2', quantity: 1 }), create('sampleLot', 'k2', { sample: 's2' })));
    await server.online.save([{ op: 'remove', object: 'call', id: 'c1' }]);
    const named = [header('call', 'c1', 1), header('call', 'c2', 1)];
    const added = await tablet.saveEntry(entry(3, named, create('sampleLot', 'k1', { sample: 's1' })));
    expect(added).toMatchObject({ outcome: 'refused', class: 'missing-reference', refusal: { fields: ['sample'] } });
    expect(await tablet.saveEntry(entry(4, named, update('sampleLot', 'k2', { sample: 's2' }, { sample: 's1' })))).toMatchObject({ outcome: 'refused', class: 'missing-reference' });
    expect(await tablet.saveEntry(entry(5, named, update('callSample', 's1', { quantity: 1 }, { quantity: 2 })))).toMatchObject({ outcome: 'refused', class: 'edit-vs-delete' });
    // Away from there it may go, and take something along.
    expect(await tablet.saveEntry(entry(6, named, update('callSample', 's1', { call: 'c1' }, { call: 'c2' }), create('sampleLot', 'k3', { sample: 's1' })))).toMatchObject({ outcome: 'saved' });
  });

  test('A15: a group may come back after its delete, children before their header', async () => {
    const { device } = createWorld({ schema: groupSchema });
    const tablet = device('ann');
    await tablet.saveEntry(entry(1, [header('order', 'o1', 0)], create('order', 'o1', { notes: 'n' }), line('l1', 'o1')));
    await tablet.saveEntry(entry(2, [header('order', 'o1', 1)], remove('line', 'l1'), remove('order', 'o1')));
    const back = await tablet.saveEntry(entry(3, [header('order', 'o1', 2)], line('l1', 'o1'), create('order', 'o1', { notes: 'n' })));
    expect(back).toMatchObject({ outcome: 'saved', committedImages: [{ id: 'l1', state: 'live', version: [1, 3] }, { id: 'o1', state: 'live', version: [1, 3] }] });
  });
});
