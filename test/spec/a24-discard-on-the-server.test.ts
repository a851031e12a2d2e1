import { describe, expect, test } from 'vitest';
import { memory, type CommitStep } from '../../src/server/store/memory.ts';
import { refuse, type ServerStore } from '../../src/server/index.ts';
import { describeOnBothStores } from '../server/both-stores.ts';
import { createWorld, type TestDevice } from '../server/harness.ts';
import { create, entry, groupSchema, header, remove, update } from './group-schema.ts';

const o1 = (n: number) => [header('order', 'o1', n)];
const submit = (number: number, base: number) => entry(number, o1(base), update('order', 'o1', { status: 'open' }, { status: 'submitted' }));

async function anOrder(tablet: TestDevice): Promise<void> {
  const made = entry(1, o1(0), create('order', 'o1', { status: 'open', notes: 'n' }), create('line', 'l1', { order: 'o1', product: 'p', quantity: 1 }));
  expect((await tablet.saveEntry(made)).outcome).toBe('saved');
}

describeOnBothStores('orders submitted elsewhere, on the server', (newWorld) => {
  test('A24: edits of an order that another device submitted are discarded: header, lines, new lines and deletes alike', async () => {
    const { device, server, scope } = newWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await anOrder(tablet);
    await tablet.saveEntry(entry(2, o1(1), create('line', 'l2', { order: 'o1', product: 'q', quantity: 2 })));
    expect((await phone.saveEntry(submit(1, 1))).outcome).toBe('saved');
    const { head } = (await phone.hello()).server;
    const edits = [
      [update('order', 'o1', { notes: 'n' }, { notes: 'mine' })],
      [update('line', 'l1', { quantity: 1 }, { quantity: 5 })],
      [create('line', 'l3', { order: 'o1', quantity: 1 })],
      [remove('line', 'l1')],
      [remove('order', 'o1'), remove('line', 'l1'), remove('line', 'l2')],
      [update('order', 'o1', { notes: 'n' }, { notes: 'mine' }), create('line', 'l4', { order: 'o1', quantity: 1 })],
    ];
    for (const [index, changes] of edits.entries()) {
      const given = entry(10 + index, o1(1), ...changes);
      const discarded = await tablet.saveEntry(given);
      expect(discarded).toMatchObject({ outcome: 'discarded', header: 0 });
      expect(discarded.currentImages).toMatchObject([
        { object: 'order', id: 'o1', state: 'live', version: [1, 2], values: { status: 'submitted', notes: 'n' } },
        { object: 'line', id: 'l1', values: { quantity: 1 } },
        { object: 'line', id: 'l2', values: { quantity: 2 } },
      ]);
      // A receipt: the same for ever.
      expect(await tablet.saveEntry(given)).toMatchObject({ outcome: 'discarded', currentImages: discarded.currentImages });
    }
    expect((await phone.hello()).server.head).toBe(head);
    expect((await server.online.list('line', scope)).map(({ id }) => id)).toEqual(['l1', 'l2']);
  });

  test('A24: a discard stays one after an admin opened the order again; a new edit is saved', async () => {
    const { device, server, scope } = newWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await anOrder(tablet);
    await phone.saveEntry(submit(1, 1));
    const late = entry(2, o1(1), update('order', 'o1', { notes: 'n' }, { notes: 'mine' }));
    expect((await tablet.saveEntry(late)).outcome).toBe('discarded');
    await server.online.save([{ op: 'update', object: 'order', id: 'o1', values: { status: 'open' } }], scope);
    expect(await tablet.saveEntry(late)).toMatchObject({ outcome: 'discarded', currentImages: [{ id: 'o1', version: [1, 3], values: { status: 'open', notes: 'n' } }, { id: 'l1' }] });
    // Rule A22 in between: what is open is open, whatever it was.
    expect(await tablet.saveEntry(entry(3, o1(1), update('order', 'o1', { notes: 'n' }, { notes: 'again' })))).toMatchObject({ outcome: 'saved' });
  });

  test('A24: a number that is asked for by itself gets its discard, with the order as it is', async () => {
    const { device } = newWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await anOrder(tablet);
    await phone.saveEntry(submit(1, 1));
    await tablet.saveEntry(entry(2, o1(1), create('line', 'l9', { order: 'o1', quantity: 1 })));
    expect(await tablet.void(2, 3)).toMatchObject([
      { outcome: 'discarded', header: 0, currentImages: [{ id: 'o1', values: { status: 'submitted' } }, { id: 'l1' }] },
      { outcome: 'voided' },
    ]);
  });
});

describe('orders submitted elsewhere, on the server', () => {
  test('A24: a device that saw the submission, or made it itself, is refused', async () => {
    const { device } = createWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await anOrder(tablet);
    await phone.saveEntry(submit(1, 1));
    const edit = update('order', 'o1', { notes: 'n' }, { notes: 'mine' });
    const locked = { outcome: 'refused', class: 'locked', refusal: { member: 0, code: 'locked' }, onlineImage: { values: { status: 'submitted' } } };
    expect(await tablet.saveEntry(entry(2, o1(2), edit))).toMatchObject(locked);
    expect(await tablet.saveEntry(entry(3, o1(3), edit))).toMatchObject(locked);
    expect(await tablet.saveEntry(entry(4, o1(1), edit))).toMatchObject({ outcome: 'discarded' });
    // Its own: whatever version it says it saw.
    for (const [number, base] of [[2, 1], [3, 0], [4, 2]] as const) expect(await phone.saveEntry(entry(number, o1(base), edit))).toMatchObject(locked);
  });

  test('A24: a later version of the submitted header is one that was seen as submitted too', async () => {
    const { device, server } = createWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone'), third = device('ann', 'third');
    await anOrder(tablet);
    await phone.saveEntry(submit(1, 1));
    await server.online.save([{ op: 'update', object: 'order', id: 'o1', values: { notes: 'office', status: 'shipped' } }]);
    const edit = update('order', 'o1', {}, { notes: 'mine' });
    // From one submitted state to another is no new submission.
    expect(await third.saveEntry(entry(1, o1(2), edit))).toMatchObject({ outcome: 'refused', class: 'locked' });
    expect(await tablet.saveEntry(entry(2, o1(1), edit))).toMatchObject({ outcome: 'discarded', currentImages: [{ values: { notes: 'office', status: 'shipped' } }, { id: 'l1' }] });
  });

  test('A24: submitted, opened by an admin and submitted again by another: it is the last submission that counts', async () => {
    const { device, server } = createWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await anOrder(tablet);
    expect((await tablet.saveEntry({ ...submit(2, 1) })).outcome).toBe('saved');
    await server.online.save([{ op: 'update', object: 'order', id: 'o1', values: { status: 'open' } }]);
    await phone.saveEntry(submit(1, 3));
    expect(await tablet.saveEntry(entry(3, o1(3), update('order', 'o1', {}, { notes: 'x' })))).toMatchObject({ outcome: 'discarded' });
    expect(await phone.saveEntry(entry(2, o1(3), update('order', 'o1', {}, { notes: 'x' })))).toMatchObject({ class: 'locked' });
  });

  test('A24: an order submitted by the back office counts as submitted elsewhere, and the back office may edit it', async () => {
    const { device, server } = createWorld({ schema: groupSchema });
    const tablet = device('ann');
    await anOrder(tablet);
    await server.online.save([{ op: 'update', object: 'order', id: 'o1', values: { status: 'submitted' } }]);
    expect(await tablet.saveEntry(entry(2, o1(1), update('line', 'l1', {}, { quantity: 2 })))).toMatchObject({ outcome: 'discarded' });
    expect(await server.online.save([{ op: 'update', object: 'line', id: 'l1', values: { quantity: 3 } }])).toMatchObject({ kind: 'saved' });
  });

  test('A24: both devices submit: the second submission is discarded, also when it changes nothing else', async () => {
    const { device } = createWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await anOrder(tablet);
    await phone.saveEntry(submit(1, 1));
    expect(await tablet.saveEntry(submit(2, 1))).toMatchObject({ outcome: 'discarded', currentImages: [{ version: [1, 2] }, {}] });
  });

  test('A24: a submission that was itself refused submits nothing', async () => {
    const { device } = createWorld({ schema: groupSchema, objects: { order: { validate: ({ next }) => (next.status === 'submitted' ? refuse('status', 'no-signature') : undefined) } } });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await anOrder(tablet);
    expect(await phone.saveEntry(submit(1, 1))).toMatchObject({ outcome: 'refused', class: 'validation' });
    expect((await tablet.saveEntry(entry(2, o1(1), update('order', 'o1', { notes: 'n' }, { notes: 'x' })))).outcome).toBe('saved');
  });

  test('A24: a header created submitted is submitted; one that a trigger submits is submitted by the save that set it off', async () => {
    const { device } = createWorld({
      schema: groupSchema,
      objects: { line: { async afterSave({ op, next, write }) { if (op === 'create' && next?.product === 'last') await write.update('order', next.order!, { status: 'submitted' }); } } },
    });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await tablet.saveEntry(entry(1, o1(0), create('order', 'o1', { status: 'submitted' })));
    expect(await tablet.saveEntry(entry(2, o1(1), update('order', 'o1', {}, { notes: 'x' })))).toMatchObject({ class: 'locked' });
    expect(await phone.saveEntry(entry(1, o1(0), create('line', 'l1', { order: 'o1', quantity: 1 })))).toMatchObject({ outcome: 'discarded' });
    await tablet.saveEntry(entry(3, [header('order', 'o2', 0)], create('order', 'o2', {})));
    await phone.saveEntry(entry(2, [header('order', 'o2', 1)], create('line', 'l2', { order: 'o2', product: 'last', quantity: 1 })));
    expect(await tablet.saveEntry(entry(4, [header('order', 'o2', 1)], update('order', 'o2', {}, { notes: 'x' })))).toMatchObject({ outcome: 'discarded' });
    expect(await phone.saveEntry(entry(3, [header('order', 'o2', 1)], update('order', 'o2', {}, { notes: 'x' })))).toMatchObject({ class: 'locked' });
  });

  test('A25: a crash between the commit of a discard and its answer: the repeat gets the receipt, though the order is open by then', async () => {
    let failAt: CommitStep | null = null;
    const world = createWorld({ schema: groupSchema, store: memory({ intercept: (step) => { if (step === failAt) throw new Error('crash'); } }) });
    const tablet = world.device('ann'), phone = world.device('ann', 'phone');
    await anOrder(tablet);
    await phone.saveEntry(submit(1, 1));
    const late = entry(2, o1(1), update('order', 'o1', { notes: 'n' }, { notes: 'mine' }));
    failAt = 'after-commit';
    expect((await tablet.post(tablet.encodeUpload([late]))).status).toBe(500);
    failAt = null;
    await world.server.online.save([{ op: 'update', object: 'order', id: 'o1', values: { status: 'open' } }]);
    expect(await tablet.saveEntry(late)).toMatchObject({ outcome: 'discarded' });
    expect(await world.server.online.get('order', 'o1')).toMatchObject({ values: { notes: 'n' } });
  });

  test('A24: a submission and an edit at the same time: one of them comes first, and the order is never half of both', async () => {
    const { device, server } = createWorld({ schema: groupSchema });
    for (let round = 1; round <= 20; round++) {
      const id = `r${round}`, at = (n: number) => [header('order', id, n)];
      const tablet = device('ann', `tablet-${round}`), phone = device('ann', `phone-${round}`);
      await tablet.saveEntry(entry(1, at(0), create('order', id, { status: 'open' })));
      const submitting = (): Promise<unknown> => phone.saveEntry(entry(1, at(1), update('order', id, {}, { status: 'submitted' })));
      const editing = tablet.saveEntry.bind(null, entry(2, at(1), create('line', `l-${id}`, { order: id, quantity: 1 })));
      const [edited] = round % 2 === 0 ? await Promise.all([editing(), submitting()]) : (await Promise.all([submitting(), editing()])).toReversed() as [Awaited<ReturnType<typeof editing>>, unknown];
      const line = await server.online.get('line', `l-${id}`);
      expect([edited.outcome, line !== null]).toEqual(edited.outcome === 'saved' ? ['saved', true] : ['discarded', false]);
    }
  });

  test('A24: an object that is a group of its own follows the same rule, checked or not', async () => {
    const { device } = createWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    const t1 = (n: number) => [header('task', 't1', n)];
    await tablet.saveEntry(entry(1, t1(0), create('task', 't1', { title: 'a' })));
    await phone.saveEntry(entry(1, t1(1), update('task', 't1', {}, { state: 'done' })));
    expect(await tablet.saveEntry(entry(2, t1(1), update('task', 't1', { title: 'a' }, { title: 'b' })))).toMatchObject({ outcome: 'discarded', currentImages: [{ values: { state: 'done', title: 'a' } }] });
    expect(await tablet.saveEntry(entry(3, [], remove('task', 't1')))).toMatchObject({ outcome: 'refused', class: 'locked' });
  });

  test('A24: what is configured as an error is refused, wherever it was submitted; nothing is lost', async () => {
    const { device } = createWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    const i1 = (n: number) => [header('inquiry', 'i1', n)];
    await tablet.saveEntry(entry(1, i1(0), create('inquiry', 'i1', { question: 'q' })));
    await phone.saveEntry(entry(1, i1(1), update('inquiry', 'i1', {}, { status: 'submitted' })));
    const refused = await tablet.saveEntry(entry(2, i1(1), create('response', 'r1', { inquiry: 'i1', answer: 'a' })));
    expect(refused).toMatchObject({ outcome: 'refused', class: 'locked', refusal: { member: 0 }, currentImages: [{ id: 'i1', values: { status: 'submitted' } }] });
  });

  test('C1: an order that is sent once more after its receipt is gone was saved, submitted or not', async () => {
    const { device, store, clock } = createWorld({ schema: groupSchema });
    const tablet = device('ann');
    const whole = entry(1, o1(0), create('order', 'o1', { status: 'submitted' }), create('line', 'l1', { order: 'o1', quantity: 1 }));
    await tablet.saveEntry(whole);
    await store.run('default', (transaction) => transaction.prune({ feedBefore: 0, receiptsBefore: clock.now() + 1 }));
    expect(await tablet.saveEntry(whole)).toMatchObject({ outcome: 'saved', currentImages: [{ version: [1, 1] }, { version: [1, 1] }] });
    expect(await tablet.saveEntry(entry(2, o1(0), create('order', 'o1', { status: 'submitted' }), create('line', 'l2', { order: 'o1', quantity: 1 })))).toMatchObject({ class: 'locked' });
  });

  test('A24: a submitted group whose header the user may not see takes no changes, and does not say that it is there', async () => {
    const { device, server } = createWorld({ schema: groupSchema, canSee: ({ user }, { object, id }) => user === 'ann' || object !== 'order' || id !== 'o1' });
    const tablet = device('ann'), other = device('bob');
    await anOrder(tablet);
    await server.online.save([{ op: 'update', object: 'order', id: 'o1', values: { status: 'submitted' } }]);
    const refused = await other.saveEntry(entry(1, o1(1), update('line', 'l1', {}, { quantity: 4 })));
    expect(refused).toMatchObject({ outcome: 'refused', class: 'permission', refusal: { member: 0 } });
    expect(refused.currentImages.map(({ id }) => id)).toEqual(['l1']);
    expect(await other.saveEntry(entry(2, o1(1), create('line', 'l2', { order: 'o1', quantity: 1 })))).toMatchObject({ class: 'missing-reference', currentImages: [] });
    expect(await other.saveEntry(entry(3, o1(1), update('order', 'o1', {}, { notes: 'x' })))).toMatchObject({ class: 'permission', currentImages: [] });
  });
});

test('A23: what was submitted elsewhere is answered in as many looks, however many records it has', async () => {
  let looks = 0;
  const c1 = (n: number) => [header('call', 'c1', n)];
  async function looksFor(samples: number): Promise<number> {
    const inner = memory();
    const store: ServerStore = {
      ...inner,
      run: (tenant, work) =>
        inner.run(tenant, (transaction) =>
          work({
            ...transaction,
            listChildren: (...of) => (looks++, transaction.listChildren(...of)),
            childOutlines: (...of) => (looks++, transaction.childOutlines(...of)),
          }),
        ),
    };
    const { device } = createWorld({ schema: groupSchema, store });
    const tablet = device('ann'), phone = device('ann', 'phone');
    const ids = Array.from({ length: samples }, (_, index) => `l${index}`);
    const made = entry(1, c1(0), create('call', 'c1', { name: 'n', status: 'saved' }), ...ids.flatMap((id) => [create('callSample', id, { call: 'c1', product: 'p' }), create('sampleLot', `b-${id}`, { sample: id, lot: 'x' })]));
    expect((await tablet.saveEntry(made)).outcome).toBe('saved');
    expect((await phone.saveEntry(entry(1, c1(1), update('call', 'c1', { status: 'saved' }, { status: 'submitted' })))).outcome).toBe('saved');
    looks = 0;
    const late = await tablet.saveEntry(entry(2, c1(1), update('call', 'c1', {}, { notes: 'mine' })));
    expect(late).toMatchObject({ outcome: 'needsDuplicate' });
    expect(late.currentImages.length).toBe(1 + 2 * samples);
    return looks;
  }
  expect(await looksFor(40)).toBe(await looksFor(2));
});
