import { describe, expect, test } from 'vitest';
import { refuse } from '../../src/server/index.ts';
import { describeOnBothStores } from '../server/both-stores.ts';
import { createWorld } from '../server/harness.ts';
import { create, entry, groupSchema, header, remove, update } from './group-schema.ts';

const DAY_MS = 86_400_000;
const o1 = (n: number) => [header('order', 'o1', n)];

describeOnBothStores('override on the server', (newWorld) => {
  test('A22: a device that edits x and y over an online change of x and z: x and y are its own, z stays, and x is told of', async () => {
    const { device, server, scope, clock } = newWorld({ schema: groupSchema });
    const tablet = device('ann');
    await tablet.saveEntry(entry(1, [header('call', 'c1', 0)], create('call', 'c1', { name: 'z', notes: 'x', status: 'saved' })));
    await server.online.save([{ op: 'update', object: 'call', id: 'c1', values: { notes: 'online x', name: 'online z' } }], scope);
    const edit = entry(2, [header('call', 'c1', 1)], update('call', 'c1', { notes: 'x', status: 'saved' }, { notes: 'mine', status: null }));
    const saved = await tablet.saveEntry(edit);
    expect(saved).toMatchObject({
      outcome: 'saved',
      overwritten: [{ member: 0, fields: ['notes'] }],
      overwrittenImages: [{ id: 'c1', version: [1, 2], state: 'live', values: { notes: 'online x', name: 'online z' } }],
      committedImages: [{ version: [1, 3], values: { notes: 'mine', status: null, name: 'online z' } }],
    });
    const audit = [{ object: 'call', id: 'c1', user: 'ann', store: tablet.store, number: 2, savedAt: clock.now(), version: [1, 3], op: 'update', field: 'notes', before: 'online x', after: 'mine' }];
    expect(await server.online.listOverwritten('call', 'c1', scope)).toEqual(audit);

    // A repeat says the same, whatever happened since, and keeps nothing twice.
    await server.online.save([{ op: 'update', object: 'call', id: 'c1', values: { notes: 'later' } }], scope);
    const repeat = await tablet.saveEntry(edit);
    expect([repeat.outcome, repeat.overwrittenImages, repeat.committedImages]).toEqual(['saved', saved.overwrittenImages, saved.committedImages]);
    expect(await server.online.listOverwritten('call', 'c1', scope)).toEqual(audit);
  });

  test('A22: two devices overwrite each other: the last to commit wins by field, and both are in the audit', async () => {
    const { device, server, scope } = newWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await tablet.saveEntry(entry(1, o1(0), create('order', 'o1', { notes: 'a' })));
    expect(await phone.saveEntry(entry(1, o1(1), update('order', 'o1', { notes: 'a' }, { notes: 'b' })))).toMatchObject({ outcome: 'saved', overwritten: [] });
    expect(await tablet.saveEntry(entry(2, o1(1), update('order', 'o1', { notes: 'a' }, { notes: 'c' })))).toMatchObject({ overwritten: [{ fields: ['notes'] }] });
    expect(await phone.saveEntry(entry(2, o1(2), update('order', 'o1', { notes: 'b' }, { notes: 'd' })))).toMatchObject({ overwritten: [{ fields: ['notes'] }] });
    const audit = await server.online.listOverwritten('order', 'o1', scope);
    expect(audit.map(({ store, before, after }) => [store, before, after])).toEqual([[phone.store, 'c', 'd'], [tablet.store, 'b', 'c']]);
    expect(await server.online.listOverwritten('order', 'o1', { ...scope, limit: 1 })).toHaveLength(1);
  });

  test.each([['a year', {}, ['third', 'second']], ['as long as the host says', { auditRetentionMs: 100 * DAY_MS }, ['third']], ['for ever', { auditRetentionMs: Infinity }, ['third', 'second', 'first']]])(
    'A22: what was replaced is kept %s',
    async (_, options, kept) => {
      const { device, server, scope, clock } = newWorld({ schema: groupSchema, ...options });
      const tablet = device('ann'), phone = device('ann', 'phone');
      await tablet.saveEntry(entry(1, o1(0), create('order', 'o1', { notes: 'a' })));
      const overwrite = async (number: number, notes: string) => {
        const saved = await tablet.saveEntry(entry(number, o1(1), update('order', 'o1', { notes: 'never so' }, { notes })));
        expect(saved).toMatchObject({ outcome: 'saved', overwritten: [{ fields: ['notes'] }] });
      };
      await overwrite(2, 'first');
      await clock.advance(200 * DAY_MS);
      await overwrite(3, 'second');
      await clock.advance(166 * DAY_MS);
      await phone.saveEntry(entry(1, [header('order', 'o2', 0)], create('order', 'o2', { notes: 'x' })));
      await overwrite(4, 'third');
      expect((await server.online.listOverwritten('order', 'o1', scope)).map(({ after }) => after)).toEqual(kept);
    },
  );
});

describe('override on the server', () => {
  test('A22: what is equal to the previous or to the new value was not overwritten', async () => {
    const { device, server } = createWorld({ schema: groupSchema });
    const tablet = device('ann');
    await tablet.saveEntry(entry(1, o1(0), create('order', 'o1', { notes: 'a', status: 's' })));
    const same = await tablet.saveEntry(entry(2, o1(1), update('order', 'o1', { notes: 'never so', status: 's' }, { notes: 'a', status: 't' })));
    expect(same).toMatchObject({ outcome: 'saved', overwritten: [], committedImages: [{ values: { notes: 'a', status: 't' } }] });
    expect(await server.online.listOverwritten('order', 'o1')).toEqual([]);
  });

  test('A22: of several members each is told of by itself, children too', async () => {
    const { device, server } = createWorld({ schema: groupSchema });
    const tablet = device('ann');
    await tablet.saveEntry(entry(1, o1(0), create('order', 'o1', { notes: 'n' }), create('line', 'l1', { order: 'o1', quantity: 1 }), create('line', 'l2', { order: 'o1', quantity: 1 })));
    await server.online.save([{ op: 'update', object: 'order', id: 'o1', values: { notes: 'online' } }, { op: 'update', object: 'line', id: 'l2', values: { quantity: 5, product: 'p' } }]);
    const saved = await tablet.saveEntry(entry(2, o1(1),
      update('order', 'o1', { notes: 'n' }, { notes: 'mine' }),
      update('line', 'l1', { quantity: 1 }, { quantity: 2 }),
      update('line', 'l2', { quantity: 1, product: null }, { quantity: 3, product: 'q' }),
    ));
    expect(saved).toMatchObject({
      overwritten: [{ member: 0, fields: ['notes'] }, { member: 2, fields: ['product', 'quantity'] }],
      overwrittenImages: [{ id: 'o1', values: { notes: 'online' } }, { id: 'l2', values: { quantity: 5, product: 'p' } }],
    });
    const audit = await server.online.listOverwritten('line', 'l2');
    expect(audit.map(({ field, before, after }) => [field, before, after])).toEqual([['product', 'p', 'q'], ['quantity', 5, 3]]);
  });

  test('A22: a delete is never compared; what had changed online is told of, and kept', async () => {
    const { device, server } = createWorld({ schema: groupSchema });
    const tablet = device('ann');
    await tablet.saveEntry(entry(1, o1(0), create('order', 'o1', {}), create('line', 'l1', { order: 'o1', product: 'p', quantity: 1 })));
    await server.online.save([{ op: 'update', object: 'line', id: 'l1', values: { quantity: 7 } }]);
    const gone = await tablet.saveEntry(entry(2, o1(1), remove('line', 'l1', { order: 'o1', product: 'p', quantity: 1 })));
    expect(gone).toMatchObject({ outcome: 'saved', overwritten: [{ member: 0, fields: ['quantity'] }], overwrittenImages: [{ version: [1, 2], values: { quantity: 7 } }] });
    expect(await server.online.listOverwritten('line', 'l1')).toMatchObject([{ op: 'remove', field: 'quantity', before: 7, after: null }]);
  });

  test('A22: a line that was added online stays, for nobody edited it', async () => {
    const { device, server } = createWorld({ schema: groupSchema });
    const tablet = device('ann');
    await tablet.saveEntry(entry(1, o1(0), create('order', 'o1', {}), create('line', 'l1', { order: 'o1', quantity: 1 })));
    await server.online.save([{ op: 'create', object: 'line', id: 'l2', values: { order: 'o1', quantity: 9 } }]);
    expect(await tablet.saveEntry(entry(2, o1(1), update('order', 'o1', {}, { notes: 'x' }), update('line', 'l1', { quantity: 1 }, { quantity: 2 })))).toMatchObject({ outcome: 'saved' });
    expect(await server.online.get('line', 'l2')).toMatchObject({ version: [1, 1], values: { quantity: 9 } });
  });

  test('A22: a header that was deleted online does not come back with an edit of it, or of what hung on it', async () => {
    const { device, server } = createWorld({ schema: groupSchema });
    const tablet = device('ann');
    await tablet.saveEntry(entry(1, o1(0), create('order', 'o1', {}), create('line', 'l1', { order: 'o1', quantity: 1 })));
    await server.online.save([{ op: 'remove', object: 'order', id: 'o1' }]);
    const ofBoth = entry(2, o1(1), update('line', 'l1', { quantity: 1 }, { quantity: 2 }), update('order', 'o1', {}, { notes: 'x' }));
    expect(await tablet.saveEntry(ofBoth)).toMatchObject({ outcome: 'refused', class: 'edit-vs-delete', refusal: { member: 1 }, onlineImage: { state: 'deleted' } });
    expect(await tablet.saveEntry(entry(3, o1(1), update('line', 'l1', { quantity: 1 }, { quantity: 2 })))).toMatchObject({ outcome: 'refused', class: 'edit-vs-delete' });
    expect(await tablet.saveEntry(entry(4, o1(1), create('line', 'l2', { order: 'o1', quantity: 2 })))).toMatchObject({ outcome: 'refused', class: 'missing-reference' });
    expect((await tablet.saveEntry(entry(5, o1(1), remove('line', 'l1')))).outcome).toBe('saved');
    expect(await server.online.get('order', 'o1')).toBeNull();
  });

  test('A22: permissions, validation and the schema apply: override is about values only', async () => {
    const { device } = createWorld({
      schema: groupSchema,
      objects: {
        order: { allow: ({ user }) => user === 'ann' || refuse('notes', 'not-yours') },
        line: { validate: ({ next }) => (next.product === 'banned' ? refuse('product', 'banned') : undefined) },
      },
    });
    const tablet = device('ann'), other = device('bob');
    await tablet.saveEntry(entry(1, o1(0), create('order', 'o1', {}), create('line', 'l1', { order: 'o1', quantity: 1 })));
    expect(await other.saveEntry(entry(1, o1(1), update('order', 'o1', {}, { notes: 'x' })))).toMatchObject({ class: 'permission', refusal: { code: 'not-yours' } });
    expect(await tablet.saveEntry(entry(2, o1(1), update('line', 'l1', {}, { quantity: 0 })))).toMatchObject({ class: 'validation', refusal: { fields: ['quantity'] } });
    expect(await tablet.saveEntry(entry(3, o1(1), update('line', 'l1', {}, { product: 'banned' })))).toMatchObject({ class: 'validation', refusal: { code: 'banned' } });
  });

  test('A22: what the back office replaces is no overwriting: it sees what is online', async () => {
    const { device, server } = createWorld({ schema: groupSchema });
    await device('ann').saveEntry(entry(1, o1(0), create('order', 'o1', { notes: 'a' })));
    await server.online.save([{ op: 'update', object: 'order', id: 'o1', values: { notes: 'b' } }]);
    expect(await server.online.listOverwritten('order', 'o1')).toEqual([]);
    await expect(server.online.listOverwritten('nothing', 'o1')).rejects.toMatchObject({ code: 'OBJECT_UNKNOWN' });
  });

  test('A22: a repeat does not show what the user may no longer see, not even as it was', async () => {
    let hidden = '';
    const { device, server } = createWorld({ schema: groupSchema, canSee: (_reader, { values }) => values.notes === undefined || hidden === '' || values.notes !== hidden });
    const tablet = device('ann');
    await tablet.saveEntry(entry(1, o1(0), create('order', 'o1', { notes: 'a' })));
    await server.online.save([{ op: 'update', object: 'order', id: 'o1', values: { notes: 'b' } }]);
    const edit = entry(2, o1(1), update('order', 'o1', { notes: 'a' }, { notes: 'c' }));
    expect((await tablet.saveEntry(edit)).overwrittenImages).toMatchObject([{ state: 'live', values: { notes: 'b' } }]);
    hidden = 'c';
    expect(await tablet.saveEntry(edit)).toMatchObject({ overwritten: [{ fields: ['notes'] }], overwrittenImages: [{ state: 'hidden', values: null }], currentImages: [{ state: 'hidden' }] });
  });
});
