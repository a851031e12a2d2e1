import { expect, test } from 'vitest';
import { decimal, defineSchema, integer, lastModified, parent, recordId, autoNumber, serverOwned, text } from '../../src/schema.ts';
import { refuse, type ObjectHooks } from '../../src/server/index.ts';
import { describeOnBothStores, type NewWorld } from './both-stores.ts';
import { createDevice, type TestChange, type TestWorldOptions } from './harness.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    order: { fields: { name: text(), weight: serverOwned(integer()), lines: serverOwned(integer()), number: autoNumber({ prefix: 'O-' }), serverId: recordId(), modifiedAt: lastModified() } },
    line: { fields: { order: parent('order', { group: true }), factor: integer(), weight: serverOwned(integer()), log: serverOwned(text()) } },
    box: { fields: { line: parent('line', { group: true }), weight: integer({ min: 0 }), doubled: serverOwned(integer()), price: decimal() } },
    folder: { fields: { folder: parent('folder'), size: integer(), total: serverOwned(integer()) } },
  },
});
type Schema = typeof schema;

const sum = (values: readonly (number | null)[]): number => values.reduce<number>((total, value) => total + (value ?? 0), 0);

const objects: { readonly [O in keyof Schema['objects']]?: ObjectHooks<Schema, O> } = {
  box: { formulas: ({ record }) => ({ doubled: 2 * (record.weight ?? 0) }) },
  line: { formulas: ({ record, children }) => ({ weight: (record.factor ?? 1) * sum(children.box.map(({ doubled }) => doubled)) }) },
  order: { formulas: ({ children }) => ({ weight: sum(children.line.map(({ weight }) => weight)), lines: children.line.length }) },
  // The topmost folder is its own.
  folder: { formulas: ({ record, children }) => ({ total: (record.size ?? 0) + sum(children.folder.map(({ id, total }) => (id === record.id ? 0 : total))) }) },
};

function openWorld(newWorld: NewWorld, options: TestWorldOptions<Schema> = {}) {
  const { server, scope, clock } = newWorld<Schema>({ schema, objects, ...options });
  const device = (user: string, name = `${user}-tablet`) => createDevice(server, scope.tenant === undefined ? user : `${scope.tenant}/${user}`, name, schema);
  return { server, scope, clock, device };
}

const order = (id: string): TestChange => ({ create: 'order', id, values: { name: id } });
const line = (id: string, master: string): TestChange => ({ create: 'line', id, values: { order: master, factor: 1 } });
const box = (id: string, master: string, weight: number): TestChange => ({ create: 'box', id, values: { line: master, weight } });

/** The images of an answer, as `id: value of the computed field`. */
function computed(images: readonly { readonly id: string; readonly state: string; readonly values: Readonly<Record<string, unknown>> | null }[]): Record<string, unknown> {
  return Object.fromEntries(images.map(({ id, state, values }) => [id, values === null ? state : id.startsWith('b') ? values.doubled : id.startsWith('f') ? values.total : values.weight]));
}

describeOnBothStores('roll-ups over all levels', (newWorld) => {
  test('A30: a save at the third level computes line and order, and the answer and the feed have all three', async () => {
    const { device } = openWorld(newWorld);
    const tablet = device('ann');
    const first = await tablet.save(1, order('o1'), line('l1', 'o1'), line('l2', 'o1'), box('b1', 'l1', 3), box('b2', 'l2', 5));
    expect(computed(first.committedImages)).toEqual({ o1: 16, l1: 6, l2: 10, b1: 6, b2: 10 });
    const second = await tablet.save(2, { update: 'box', id: 'b1', from: { weight: 3 }, to: { weight: 4 } });
    expect(computed(second.committedImages)).toEqual({ b1: 8, l1: 8, o1: 18 });
    expect(second.committedImages.map(({ version }) => version[1])).toEqual([2, 2, 2]);
    expect(computed((await device('ann', 'ann-phone').poll(null))!.saves.at(-1)!.images)).toEqual({ b1: 8, l1: 8, o1: 18 });
    const removed = await tablet.save(3, { remove: 'box', id: 'b2' });
    expect(computed(removed.committedImages)).toEqual({ b2: 'deleted', l2: 0, o1: 8 });
  });

  test('A30: a line that moves computes the order it left and the one it came to', async () => {
    const { device } = openWorld(newWorld);
    const tablet = device('ann');
    await tablet.save(1, order('o1'), order('o2'), line('l1', 'o1'), line('l2', 'o1'), box('b1', 'l1', 3), box('b2', 'l2', 5));
    const moved = await tablet.save(2, { update: 'line', id: 'l1', from: { order: 'o1', factor: 1 }, to: { order: 'o2', factor: 3 } });
    expect(computed(moved.committedImages)).toEqual({ l1: 18, o1: 10, o2: 18 });
    expect(moved.committedImages.find(({ id }) => id === 'o1')!.values!.lines).toBe(1);
    expect(computed((await device('ann', 'ann-phone').poll(null))!.saves.at(-1)!.images)).toEqual({ l1: 18, o1: 10, o2: 18 });
  });

  test('A30: a box that moves to a line of another order computes both lines and both orders', async () => {
    const { device } = openWorld(newWorld);
    const tablet = device('ann');
    await tablet.save(1, order('o1'), order('o2'), line('l1', 'o1'), line('l2', 'o2'), box('b1', 'l1', 3), box('b2', 'l1', 1));
    const moved = await tablet.save(2, { update: 'box', id: 'b1', from: { line: 'l1' }, to: { line: 'l2' } });
    expect(computed(moved.committedImages)).toEqual({ b1: 6, l1: 2, l2: 6, o1: 2, o2: 6 });
    const back = await tablet.save(3, { update: 'box', id: 'b1', from: { line: 'l2' }, to: { line: 'l1' } }, { update: 'line', id: 'l1', from: { order: 'o1' }, to: { order: 'o2' } });
    expect(computed(back.committedImages)).toEqual({ b1: 6, l1: 8, l2: 0, o1: 0, o2: 8 });
  });

  test('A30: where an object is its own master, each level is computed after those below it', async () => {
    const { device } = openWorld(newWorld);
    const tablet = device('ann');
    const folder = (id: string, master: string, size: number): TestChange => ({ create: 'folder', id, values: { folder: master, size } });
    const first = await tablet.save(1, folder('f1', 'f1', 1), folder('f2', 'f1', 2), folder('f3', 'f2', 4));
    expect(computed(first.committedImages)).toEqual({ f1: 7, f2: 6, f3: 4 });
    const second = await tablet.save(2, { update: 'folder', id: 'f1', from: { size: 1 }, to: { size: 8 } }, { update: 'folder', id: 'f3', from: { size: 4 }, to: { size: 16 } });
    expect(computed(second.committedImages)).toEqual({ f1: 26, f2: 18, f3: 16 });
    await tablet.save(3, folder('f4', 'f4', 0));
    const moved = await tablet.save(4, { update: 'folder', id: 'f3', from: { folder: 'f2' }, to: { folder: 'f4' } });
    expect(computed(moved.committedImages)).toEqual({ f3: 16, f2: 2, f1: 10, f4: 16 });
  });

  test('A30: of records saved by two devices at once, every roll-up counts both', async () => {
    const { device } = openWorld(newWorld);
    await device('ann').save(1, order('o1'), line('l1', 'o1'), line('l2', 'o1'));
    const devices = [device('ann'), device('ann', 'ann-phone'), device('bob')];
    const saves = devices.flatMap((each, index) => Array.from({ length: 6 }, (_, at) => each.save(10 + at, box(`b${index}-${at}`, at % 2 === 0 ? 'l1' : 'l2', 1))));
    expect((await Promise.all(saves)).map(({ outcome }) => outcome)).toEqual(saves.map(() => 'saved'));
    const { images } = await device('bob').record('order', 'o1');
    expect(computed(images.filter(({ object }) => object !== 'box'))).toEqual({ o1: 36, l1: 18, l2: 18 });
  });

  test('A27: a create comes back with Record ID, number, formulas and time; the masters with what it changed', async () => {
    const { device, clock } = openWorld(newWorld);
    const tablet = device('ann');
    const [first] = (await tablet.save(1, order('o1'))).committedImages;
    expect(first!.values).toMatchObject({ number: 'O-000001', serverId: expect.stringMatching(/./), weight: 0, lines: 0, modifiedAt: new Date(clock.now()).toISOString() });
    await clock.advance(60_000);
    const saved = await tablet.save(2, line('l1', 'o1'), box('b1', 'l1', 2));
    expect(saved.currentImages.find(({ id }) => id === 'o1')!.values).toMatchObject({ ...first!.values, weight: 4, lines: 1, modifiedAt: new Date(clock.now()).toISOString() });
  });

  test('A26: a trigger of a child may refuse because of its roll-up: nothing of the entry is written, at no level', async () => {
    const { device } = openWorld(newWorld, {
      objects: {
        ...objects,
        box: {
          ...objects.box,
          async afterSave({ next, records }) {
            const siblings = next === null ? [] : await records.children('box', next.line!);
            return sum(siblings.map(({ weight }) => weight)) > 10 ? refuse('weight', 'too-heavy', 'A line carries 10') : undefined;
          },
        },
      },
    });
    const tablet = device('ann');
    await tablet.save(1, order('o1'), line('l1', 'o1'), box('b1', 'l1', 6));
    const refused = await tablet.save(2, line('l2', 'o1'), box('b2', 'l1', 6));
    expect(refused).toMatchObject({ outcome: 'refused', class: 'validation', refusal: { member: 1, code: 'too-heavy', fields: ['weight'] } });
    const { images } = await tablet.record('order', 'o1');
    expect(computed(images)).toEqual({ o1: 12, l1: 12, b1: 12 });
    expect(new Set(images.map(({ version }) => version[1]))).toEqual(new Set([1]));
  });

  test('A25, A30: what a trigger writes at another level is computed, answered and on the feed with its masters', async () => {
    const { device } = openWorld(newWorld, {
      objects: { ...objects, order: { ...objects.order, afterSave: ({ next, write }) => (next?.name === 'pack' ? write.update('box', 'b1', { weight: 50 }) : undefined) } },
    });
    const tablet = device('ann');
    await tablet.save(1, order('o1'), line('l1', 'o1'), box('b1', 'l1', 1), order('o2'));
    const saved = await tablet.save(2, { update: 'order', id: 'o2', from: { name: 'o2' }, to: { name: 'pack' } });
    expect(computed(saved.committedImages)).toEqual({ o2: 0, b1: 100, l1: 100, o1: 100 });
    expect(computed((await device('ann', 'ann-phone').poll(null))!.saves.at(-1)!.images)).toEqual({ o2: 0, b1: 100, l1: 100, o1: 100 });
  });
});

