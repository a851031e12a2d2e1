import { afterEach, describe, expect, test } from 'vitest';
import type { SyncEngineOptions } from '../../src/client/engine-core.ts';
import type { GuardQuestion } from '../../src/client/queue/guard.ts';
import { GUARD_TIMEOUT_MS } from '../../src/client/queue/guards.ts';
import type { SyncClient } from '../../src/client/sync-client.ts';
import { refuse, type SyncServerOptions } from '../../src/server/index.ts';
import { isFault } from '../../src/shared/fault.ts';
import { EAGER_PARTS } from '../../src/testing/simulation/eager-parts.ts';
import { ordersSchema as schema } from '../support/orders.ts';
import { typedClient } from '../support/typed-client.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

type Objects = SyncClient<typeof schema>['objects'];
type Device = TestDevice & { readonly client: SyncClient<typeof schema> };

let world: World<typeof schema>;
afterEach(() => world.close());

async function device(options: Partial<SyncEngineOptions> = {}): Promise<Device> {
  const one = await world.device('ann', options);
  return { ...one, client: typedClient(schema, one.engine) };
}

interface Start {
  readonly tablet: Device;
  /** Saves on the phone, and lets the tablet hear of it. */
  readonly there: (save: (objects: Objects, phone: Device['client']) => Promise<unknown>) => Promise<void>;
}

/** A tablet and a phone of one user; the tablet has an order of one line and an account open, and goes offline at the end of each round. */
async function start(options: Partial<SyncEngineOptions> = {}, server: Partial<SyncServerOptions<typeof schema>> = {}): Promise<Start> {
  world = createWorld(schema, server);
  const phone = await device();
  await phone.client.objects.account.create({ id: 'a1', name: 'St. Mary', city: 'Ghent' });
  await phone.client.transaction([
    { op: 'create', object: 'order', values: { id: 'o1', note: 'first' } },
    { op: 'create', object: 'line', values: { id: 'l1', order: 'o1', product: 'gauze', quantity: 1 } },
  ]);
  await phone.client.exchange();
  const tablet = await device(options);
  await tablet.client.exchange();
  await tablet.client.objects.account.open('a1');
  await tablet.client.objects.order.open('o1');
  return {
    tablet,
    async there(save) {
      await phone.client.exchange();
      await save(phone.client.objects, phone.client);
      await phone.client.exchange();
      await tablet.client.setLifecycle({ isOnline: true });
      await tablet.client.exchange();
      await tablet.client.setLifecycle({ isOnline: false });
    },
  };
}

const CHANGED = 'RECORD_CHANGED_ELSEWHERE';

/** Every way in which a host saves something of the order. */
const SAVES: readonly (readonly [what: string, save: (client: Device['client']) => Promise<unknown>])[] = [
  ['save of the header', ({ objects }) => objects.order.update('o1', { note: 'mine' })],
  ['submit', ({ objects }) => objects.order.update('o1', { state: 'submitted' })],
  ['delete', ({ objects }) => objects.order.remove('o1')],
  ['save of a line', ({ objects }) => objects.line.update('l1', { quantity: 2 })],
  ['new line', ({ objects }) => objects.line.create({ order: 'o1', product: 'tape' })],
  ['delete of a line', ({ objects }) => objects.line.remove('l1')],
  ['transaction', (client) => client.transaction([{ op: 'update', object: 'order', id: 'o1', values: { note: 'mine' } }, { op: 'update', object: 'line', id: 'l1', values: { quantity: 2 } }])],
  ['save through a handle', async ({ objects }) => (await objects.order.open('o1')).update({ note: 'mine' })],
  ['delete through a handle', async ({ objects }) => (await objects.line.open('l1')).remove()],
  ['opening to edit', ({ objects }) => objects.line.open('l1', { mode: 'edit' })],
];

describe('A37: what is newer and waits is looked at before a record is saved', () => {
  describe.each([
    ['submitted', ({ order }: Objects) => order.update('o1', { state: 'submitted' })],
    ['deleted', ({ order }: Objects) => order.remove('o1')],
  ] as const)('A37: of an order that was %s elsewhere', (reason, change) => {
    test.each(SAVES)('A37: a %s is refused, offline too, and nothing is queued', async (_, save) => {
      const { tablet, there } = await start();
      await there(change);
      const refused = expect.objectContaining({ reason, newerObject: 'order', newerId: 'o1' }) as object;
      await expect(save(tablet.client)).rejects.toMatchObject({ code: CHANGED, details: refused });
      expect(await tablet.client.status.get()).toMatchObject({ pending: 0 });
      expect(await tablet.client.objects.order.get('o1')).toMatchObject({ note: 'first', state: null, syncState: 'synced' });
    });
  });

  test('A37: the fault names the change of a transaction, and what is online can be read', async () => {
    const { tablet, there } = await start();
    await there(({ order }) => order.update('o1', { state: 'submitted', note: 'theirs' }));
    const { client } = tablet;
    const save = client.transaction([{ op: 'create', object: 'line', values: { id: 'l2', order: 'o1', product: 'tape' } }]);
    await expect(save).rejects.toMatchObject({ details: { object: 'line', id: 'l2', reason: 'submitted', newerObject: 'order', newerId: 'o1' } });
    const two = client.transaction([{ op: 'update', object: 'line', id: 'l1', values: { quantity: 2 } }, { op: 'update', object: 'order', id: 'o1', values: { note: 'mine' } }]);
    await expect(two).rejects.toMatchObject({ details: { object: 'line', id: 'l1', change: 0 } });
    expect(await client.objects.order.newer('o1')).toMatchObject({ state: 'live', record: { state: 'submitted', note: 'theirs' } });
  });

  test('A37: a draft cannot be saved over it, and is kept', async () => {
    const { tablet, there } = await start();
    const draft = await tablet.client.objects.order.draft('o1');
    await draft.set({ note: 'mine' });
    await there(({ order }) => order.update('o1', { state: 'submitted' }));
    await expect(draft.save()).rejects.toMatchObject({ code: CHANGED, details: { reason: 'submitted' } });
    expect(await draft.get()).toMatchObject({ note: 'mine' });
    expect(await tablet.client.status.get()).toMatchObject({ pending: 0, drafts: 1 });
  });

  test('A37: nothing is saved over a record that the user may no longer see', async () => {
    let isHidden = false;
    const { tablet, there } = await start({}, { canSee: (_, { object }) => !isHidden || object !== 'account' });
    await there(async ({ account }, phone) => {
      await account.update('a1', { city: 'Bruges' });
      await phone.exchange();
      isHidden = true;
    });
    await expect(tablet.client.objects.account.update('a1', { phone: '7' })).rejects.toMatchObject({ code: CHANGED, details: { reason: 'hidden', object: 'account', id: 'a1' } });
    expect(await tablet.client.objects.account.newer('a1')).toEqual({ state: 'hidden', record: null });
  });

  test('A37: other fields, or the same, are no reason to refuse; the receipt names those that clash', async () => {
    const { tablet, there } = await start();
    const { account } = tablet.client.objects;
    await there((objects) => objects.account.update('a1', { city: 'Bruges', phone: '1' }));
    expect(await account.update('a1', { name: 'St. Anne' })).not.toHaveProperty('overlaps');
    expect(await account.update('a1', { name: 'St. Ann', city: 'Ypres', phone: '2' })).toMatchObject({ overlaps: ['city', 'phone'] });
    expect((await tablet.client.transaction([{ op: 'update', object: 'account', id: 'a1', values: { city: 'Hasselt' } }])).records).toEqual([{ object: 'account', id: 'a1', overlaps: ['city'] }]);
    expect(await tablet.client.status.get()).toMatchObject({ pending: 1 });
  });

  test('A37: once a change waits here, what came in after it counts as well', async () => {
    const { tablet, there } = await start();
    await tablet.client.setLifecycle({ isOnline: false });
    await tablet.client.objects.visit.create({ id: 'v1', subject: 'first' });
    await there(async () => {});
    await tablet.client.objects.visit.update('v1', { subject: 'mine' });
    tablet.intercept(async (request, send) => (request.path === 'upload' ? Promise.reject(new TypeError('no network')) : send(request)));
    await there(({ visit }) => visit.update('v1', { state: 'submitted' }));
    await expect(tablet.client.objects.visit.update('v1', { subject: 'more' })).rejects.toMatchObject({ code: CHANGED, details: { reason: 'submitted' } });
    expect(await tablet.client.objects.visit.get('v1')).toMatchObject({ subject: 'mine', syncState: 'sending' });
  });

  test.each([
    ['nothing of it is known to have changed', async () => {}, [], 'taken back'],
    ['it was submitted elsewhere', ({ visit }: Objects) => visit.update('v1', { state: 'submitted' }), [], 'taken back'],
    ['it was submitted elsewhere, and an edit would come back with it', ({ visit }: Objects) => visit.update('v1', { state: 'submitted' }), ['mine'], 'submitted'],
    ['it was deleted elsewhere', ({ visit }: Objects) => visit.remove('v1'), [], 'deleted'],
  ] as const)('A37, B13: of a delete that waits, where %s', async (_, change, edits, expected) => {
    const { tablet, there } = await start();
    const { visit } = tablet.client.objects;
    await tablet.client.setLifecycle({ isOnline: true });
    await visit.create({ id: 'v1', subject: 'first' });
    await tablet.client.exchange();
    // It waits behind a change that gets no answer.
    tablet.intercept(async (request, send) => (request.path === 'upload' ? Promise.reject(new TypeError('no network')) : send(request)));
    await visit.update('v1', { subject: 'sent' });
    await tablet.client.exchange();
    for (const subject of edits) await visit.update('v1', { subject });
    await visit.remove('v1');
    await there(change);
    expect(await tablet.client.status.get()).toMatchObject({ pending: 2 });
    const restored = visit.restore('v1').then(() => 'taken back', (fault: unknown) => isFault(fault, CHANGED) && fault.details.reason);
    expect(await restored).toBe(expected);
    expect(await visit.get('v1')).toEqual(expected === 'taken back' ? expect.objectContaining({ subject: 'sent' }) : null);
  });

  test('A37, A26: of a refused change the sync error tells what is online, and later saves wait behind it', async () => {
    const { tablet, there } = await start({}, { objects: { visit: { validate: ({ next }) => (next.subject === 'bad' ? refuse('subject', 'bad') : undefined) } } });
    const { visit } = tablet.client.objects;
    await tablet.client.setLifecycle({ isOnline: true });
    await visit.create({ id: 'v1', subject: 'first' });
    await tablet.client.exchange();
    await visit.update('v1', { subject: 'bad' });
    await tablet.client.exchange();
    await there((objects) => objects.visit.remove('v1'));
    expect(await visit.newer('v1')).toEqual({ state: 'deleted', record: null });
    expect((await visit.update('v1', { subject: 'good' })).entry).not.toBeNull();
    await visit.open('v1');
    await expect(visit.update('v1', { subject: 'better' })).rejects.toMatchObject({ code: CHANGED, details: { reason: 'deleted' } });
  });

  test('A37: where the file of the guards cannot be loaded, nobody is kept from saving: the server decides', async () => {
    let isThere = true;
    const handles = async () => (isThere ? EAGER_PARTS.handles() : Promise.reject(new Error('no such file')));
    const { tablet, there } = await start({ parts: { ...EAGER_PARTS, handles } });
    await there(({ order }) => order.update('o1', { state: 'submitted' }));
    isThere = false;
    expect((await tablet.client.objects.order.update('o1', { note: 'mine' })).entry).not.toBeNull();
  });
});

describe('A37: guards of the host', () => {
  interface Guarded extends Start {
    readonly asked: (GuardQuestion & { readonly object: string })[];
  }

  async function guarded(answer: (question: GuardQuestion) => string | undefined | Promise<string | undefined>): Promise<Guarded> {
    const asked: Guarded['asked'] = [];
    const ask = async (object: string, question: GuardQuestion) => {
      asked.push({ object, ...question });
      return answer(question);
    };
    return { ...(await start({ guards: { objects: ['order'], ask } })), asked };
  }

  test('A37: are asked only where something newer waits, and say why a save may not be', async () => {
    const { tablet, there, asked } = await guarded(({ newer }) => (newer.note === 'frozen' ? 'The order was frozen by the phone.' : undefined));
    const { order, line, account } = tablet.client.objects;
    await order.update('o1', { note: 'mine' });
    expect(asked).toEqual([]);
    await there(({ order: other }) => other.update('o1', { note: 'frozen' }));
    await there(({ account: other }) => other.update('a1', { city: 'Bruges' }));
    await expect(order.update('o1', { note: 'again' })).rejects.toMatchObject({ code: CHANGED, details: { object: 'order', id: 'o1', reason: 'guard', guard: 'The order was frozen by the phone.' } });
    await expect(line.update('l1', { quantity: 2 })).rejects.toMatchObject({ code: CHANGED, details: { object: 'line', id: 'l1', newerObject: 'order', newerId: 'o1' } });
    await account.update('a1', { phone: '7' });
    expect(asked.map(({ object, action, next }) => [object, action, next?.note])).toEqual([['order', 'save', 'again'], ['order', 'save', 'mine']]);
  });

  test.each([
    ['submit', (objects: Objects) => objects.order.update('o1', { state: 'submitted' }), { id: 'o1', state: 'submitted' }],
    ['delete', (objects: Objects) => objects.order.remove('o1'), null],
    ['save', (objects: Objects) => objects.order.update('o1', { note: 'mine' }), { id: 'o1', note: 'mine' }],
  ] as const)('A37: hear of a %s as that, with what is online and what the save makes of the record', async (action, save, next) => {
    const { tablet, there, asked } = await guarded(() => undefined);
    await there(({ order }) => order.update('o1', { note: 'theirs' }));
    await save(tablet.client.objects);
    expect(asked).toMatchObject([{ object: 'order', action, newer: { id: 'o1', note: 'theirs' }, next }]);
    expect(await tablet.client.status.get()).toMatchObject({ pending: 1 });
  });

  test('A37: are asked again when something newer still came while they thought about it', async () => {
    let allow = (): void => {};
    const answers: Promise<string | undefined>[] = [new Promise((resolve) => (allow = () => resolve(undefined))), Promise.resolve('too late')];
    const { tablet, there, asked } = await guarded(async () => answers.shift());
    await there(({ order }) => order.update('o1', { note: 'theirs' }));
    const save = tablet.client.objects.order.update('o1', { state: 'open' });
    save.catch(() => {});
    await tablet.client.objects.order.get('o1');
    await there(({ order }) => order.update('o1', { note: 'newer still' }));
    allow();
    await expect(save).rejects.toMatchObject({ code: CHANGED, details: { guard: 'too late' } });
    expect(asked.map(({ newer }) => newer.note)).toEqual(['theirs', 'newer still']);
  });

  test('A37: are asked once of an order, however many of its lines a save changes', async () => {
    const { tablet, there, asked } = await guarded(() => undefined);
    await there(({ order }) => order.update('o1', { note: 'theirs' }));
    await tablet.client.transaction(['l2', 'l3', 'l4'].map((id) => ({ op: 'create' as const, object: 'line' as const, values: { id, order: 'o1', product: 'tape', quantity: 1 } })));
    expect(asked.map(({ object, newer }) => [object, newer.note])).toEqual([['order', 'theirs']]);
  });

  test('A37: that fail keep nobody from saving, and it is told', async () => {
    const { tablet, there } = await guarded(() => {
      throw new TypeError('not a function');
    });
    await there(({ order }) => order.update('o1', { note: 'theirs' }));
    expect((await tablet.client.objects.order.update('o1', { note: 'mine' })).entry).not.toBeNull();
    expect(tablet.events).toContainEqual({ type: 'guard:failed', object: 'order', id: 'o1', fault: expect.objectContaining({ message: 'not a function' }) as object });
  });

  test('A37: that take too long keep nobody from saving', async () => {
    const { tablet, there, asked } = await guarded(() => new Promise(() => {}));
    await there(({ order }) => order.update('o1', { note: 'theirs' }));
    const save = tablet.client.objects.order.update('o1', { note: 'mine' });
    while (asked.length === 0) await tablet.client.objects.order.get('o1');
    await world.clock.advance(GUARD_TIMEOUT_MS);
    expect((await save).entry).not.toBeNull();
    expect(tablet.events.filter(({ type }) => type === 'guard:failed')).toHaveLength(1);
  });
});
