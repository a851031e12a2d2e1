import { afterEach, describe, expect, test } from 'vitest';
import type { DraftInfo } from '../../src/client/drafts/draft.ts';
import type { SyncEngineOptions } from '../../src/client/engine-core.ts';
import { defineSchema, parent, text } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import type { StorageAdapter } from '../../src/storage/storage-adapter.ts';
import { faultyStorage } from '../../src/testing/faulty-storage.ts';
import { refuse } from '../../src/server/index.ts';
import { forgePage, holdBack } from '../support/forged-page.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    account: { coalesce: 'never', fields: { name: text(), city: text() } },
    note: { fields: { account: parent('account'), body: text() } },
    order: { fields: { account: text(), city: text() } },
    line: { fields: { order: parent('order', { group: true }), city: text() } },
  },
});

const DAY_MS = 86_400_000;
const OWNER = { tenant: '', user: 'ann' };
const IN = { name: 'St. Mary', city: 'Ghent' }, OUT = { name: 'St. Mary', city: 'Lima' };

let world: World<typeof schema>;
afterEach(() => world.close());

/** Ann's devices download what is in Ghent, and the notes. */
function open(options: Partial<Parameters<typeof createWorld<typeof schema>>[1]> = {}): void {
  world = createWorld(schema, { inScope: (_, { object, values }) => object === 'note' || values.city === 'Ghent', ...options });
}

/** Two devices of Ann. */
async function pair(own: Partial<SyncEngineOptions> = {}): Promise<{ readonly tablet: TestDevice; readonly phone: TestDevice }> {
  return { tablet: await world.device('ann'), phone: await world.device('ann', own) };
}

/** Lets time pass while devices are in a pocket: nobody polls. */
async function pass(ms: number, ...devices: readonly TestDevice[]): Promise<void> {
  for (const { engine } of devices) await engine.setLifecycle({ isForeground: false });
  await world.clock.advance(ms);
  for (const { engine } of devices) await engine.setLifecycle({ isForeground: true });
}

async function shows({ engine }: TestDevice, object: string, id: string): Promise<boolean> {
  return (await engine.get(object, id)) !== null;
}

/** The records that are flagged as out of scope in a store. */
async function flagged(disk: StorageAdapter): Promise<string[]> {
  const storage = await disk.open(OWNER);
  const rows = await storage.scanState({ prefix: 'outside/', limit: 100 });
  await storage.close();
  return rows.map(({ key }) => key.slice('outside/'.length));
}

async function exchange(...devices: readonly TestDevice[]): Promise<void> {
  for (const { engine } of devices) await engine.exchange();
}

describe('a record that the feed brings from out of scope', () => {
  test.each([['after an earlier one', true], ['the first of the device', false]])('A32: is what another device has made of it after a download too, %s, which knows nothing of that: the feed goes on where it was', async (_which, hasEarlier) => {
    open();
    const { tablet, phone } = await pair();
    for (const id of ['a1', 'a2']) await tablet.engine.create('account', OUT, id);
    await exchange(tablet, phone);
    if (hasEarlier) await phone.engine.download();
    await phone.engine.setLifecycle({ isOnline: false });
    await tablet.engine.update('account', 'a1', { name: 'St. Maria' });
    await tablet.engine.remove('account', 'a2');
    await tablet.engine.exchange();
    await tablet.engine.create('account', IN, 'a3');
    await tablet.engine.exchange();
    phone.intercept((request, send) => (request.path.startsWith('feed') ? Promise.reject(new TypeError('no way there')) : send(request)));
    await phone.engine.setLifecycle({ isOnline: true });
    await phone.engine.download();
    phone.intercept(null);
    await phone.engine.exchange();
    expect((await phone.engine.query({ object: 'account' })).map(({ id, values }) => [id, values.name])).toEqual([['a1', 'St. Maria'], ['a3', 'St. Mary']]);
  });

  test('A32: shows on the other device, and stays after downloads without it until the grace period is over', async () => {
    open();
    const { tablet, phone } = await pair();
    await tablet.engine.create('account', OUT, 'a1');
    await exchange(tablet, phone);
    expect(await shows(phone, 'account', 'a1')).toBe(true);
    expect(await flagged(phone.disk)).toEqual(['account/a1']);
    await phone.engine.download();
    expect(await shows(phone, 'account', 'a1')).toBe(true);
    await pass(7 * DAY_MS - 1, tablet, phone);
    expect(await phone.engine.download()).toMatchObject({ removed: 0 });
    expect(await shows(phone, 'account', 'a1')).toBe(true);
    await pass(1, tablet, phone);
    expect(await phone.engine.download()).toMatchObject({ removed: 1 });
    expect(await shows(phone, 'account', 'a1')).toBe(false);
    expect(await flagged(phone.disk)).toEqual([]);
  });

  test('A32: the host sets the grace period, and who was away is not asked of the server one by one', async () => {
    open();
    const { tablet, phone } = await pair({ outOfScopeGraceMs: 1_000 });
    for (const id of ['a1', 'a2', 'a3']) await tablet.engine.create('account', OUT, id);
    await exchange(tablet, phone);
    await phone.engine.download();
    expect(await shows(phone, 'account', 'a1')).toBe(true);
    await pass(1_000, tablet, phone);
    expect(await phone.engine.download()).toMatchObject({ removed: 3 });
    expect(phone.requests.filter(({ path }) => path.startsWith('record'))).toEqual([]);
  });

  test('A32: the grace period begins anew with each save that the feed brings', async () => {
    open();
    const { tablet, phone } = await pair();
    await tablet.engine.create('account', OUT, 'a1');
    await exchange(tablet, phone);
    await pass(6 * DAY_MS, tablet, phone);
    await tablet.engine.update('account', 'a1', { name: 'St. Anne' });
    await exchange(tablet, phone);
    await pass(6 * DAY_MS, tablet, phone);
    await phone.engine.download();
    expect(await shows(phone, 'account', 'a1')).toBe(true);
  });

  test.each(['a pending change', 'a sync error', 'a draft', 'an open handle'] as const)('A32: stays beyond the grace period while it has %s', async (why) => {
    open({ objects: { account: { validate: ({ next }) => (next.name === 'no' ? refuse('name', 'no-such-name') : undefined) } } });
    const { tablet, phone } = await pair();
    await tablet.engine.create('account', OUT, 'a1');
    await exchange(tablet, phone);
    await pass(8 * DAY_MS, tablet, phone);
    const end = await begin(tablet, phone, why);
    await phone.engine.download();
    expect(await shows(phone, 'account', 'a1')).toBe(true);
    await end();
    await phone.engine.download();
    expect(await shows(phone, 'account', 'a1')).toBe(false);
  });

  /** Does something with the record that keeps it; the answer ends that. */
  async function begin(tablet: TestDevice, device: TestDevice, why: 'a pending change' | 'a sync error' | 'a draft' | 'an open handle'): Promise<() => Promise<void>> {
    const { engine } = device;
    if (why === 'an open handle') return engine.watchHandle('account', 'a1', 'view', () => {}).then((close) => async () => close());
    if (why === 'a draft') {
      const { id: draft } = (await engine.draft({ kind: 'open', object: 'account', id: 'a1' })) as DraftInfo;
      return async () => void (await engine.draft({ kind: 'discard', draft }));
    }
    if (why === 'a sync error') {
      await engine.update('account', 'a1', { name: 'no' });
      await engine.exchange();
      return async () => {
        await engine.undo((await engine.listSyncErrors())[0]!.id);
        await pass(8 * DAY_MS, tablet, device);
      };
    }
    device.intercept((request, send) => (request.path === 'upload' ? Promise.reject(new TypeError('no way up')) : send(request)));
    await engine.update('account', 'a1', { name: 'waits' });
    return async () => {
      device.intercept(null);
      await engine.exchange();
      await pass(8 * DAY_MS, tablet, device);
    };
  }
});

describe('the mark of what is out of scope', () => {
  test('A32: goes when the feed or a download brings the record as one that is in scope', async () => {
    const inScope = new Set(['Ghent']);
    open({ inScope: (_, { values }) => inScope.has(String(values.city)) });
    const { tablet, phone } = await pair();
    for (const id of ['a1', 'a2']) await tablet.engine.create('account', OUT, id);
    await exchange(tablet, phone);
    expect(await flagged(phone.disk)).toEqual(['account/a1', 'account/a2']);
    await tablet.engine.update('account', 'a1', { city: 'Ghent' });
    await exchange(tablet, phone);
    expect(await flagged(phone.disk)).toEqual(['account/a2']);
    inScope.add('Lima');
    await phone.engine.download();
    expect(await flagged(phone.disk)).toEqual([]);
    await pass(8 * DAY_MS, tablet, phone);
    await phone.engine.download();
    for (const id of ['a1', 'a2']) expect(await shows(phone, 'account', id)).toBe(true);
  });

  test('A32: goes with the record', async () => {
    open();
    const { tablet, phone } = await pair();
    await tablet.engine.create('account', OUT, 'a1');
    await exchange(tablet, phone);
    await tablet.engine.remove('account', 'a1');
    await exchange(tablet, phone);
    expect(await flagged(phone.disk)).toEqual([]);
  });

  test('A32: is one commit with its record, whichever commit a crash hits', async () => {
    open();
    const tablet = await world.device('ann');
    await tablet.engine.create('account', IN, 'a1');
    await tablet.engine.create('account', OUT, 'a2');
    await tablet.engine.exchange();
    let merged = 0;
    for (const fate of ['crash-before', 'crash-after'] as const) {
      for (let at = 2; ; at++) {
        const disk = memory();
        let commits = 0;
        const storage = faultyStorage(disk, { decide: () => (++commits === at ? fate : 'done') });
        const device = await world.device('ann', { storage });
        await device.engine.exchange().catch(() => {});
        const again = await world.device('ann', { storage: disk, lifecycle: { isOnline: false, isForeground: false } });
        const isThere = await shows(again, 'account', 'a2');
        merged += Number(isThere);
        expect(await flagged(disk)).toEqual(isThere ? ['account/a2'] : []);
        if (commits < at) break;
      }
    }
    expect(merged).toBeGreaterThan(2);
  });

  test('A32: is there for what is kept aside, and for what was merged from there', async () => {
    open();
    const { tablet, phone } = await pair();
    await tablet.engine.create('account', IN, 'a1');
    await exchange(tablet, phone);
    const close = await phone.engine.watchHandle('account', 'a1', 'view', () => {});
    await tablet.engine.update('account', 'a1', { city: 'Lima' });
    await exchange(tablet, phone);
    expect((await phone.engine.get('account', 'a1'))?.values).toMatchObject({ city: 'Ghent' });
    expect(await flagged(phone.disk)).toEqual(['account/a1']);
    await phone.engine.download();
    expect((await phone.engine.status()).parked).toBe(1);
    close();
    await phone.engine.download();
    expect((await phone.engine.get('account', 'a1'))?.values).toMatchObject({ city: 'Lima' });
    expect(await flagged(phone.disk)).toEqual(['account/a1']);
  });

  test('A32: is there for each record of a transaction that comes in parts', async () => {
    open({ limits: { pageItems: 2 } });
    const { tablet, phone } = await pair();
    const lines = ['l1', 'l2', 'l3', 'l4'].map((id) => ({ op: 'create' as const, object: 'line', id, values: { order: 'o1', city: id === 'l2' ? 'Ghent' : 'Lima' } }));
    await tablet.engine.save([{ op: 'create', object: 'order', id: 'o1', values: { city: 'Lima' } }, ...lines]);
    await exchange(tablet, phone);
    expect(phone.events.some(({ type }) => type === 'feed:parts-applied')).toBe(true);
    expect((await flagged(phone.disk)).sort()).toEqual(['line/l1', 'line/l3', 'line/l4', 'order/o1']);
  });
});

test('A32: what the device sends up with a download stays as well', async () => {
  open();
  const phone = await world.device('ann', { lifecycle: { isOnline: false, isForeground: true } });
  phone.intercept((request, send) => (request.path.startsWith('feed') ? Promise.reject(new TypeError('no way')) : send(request)));
  await phone.engine.create('account', OUT, 'a1');
  await phone.engine.setLifecycle({ isOnline: true });
  await phone.engine.download();
  expect(await phone.engine.get('account', 'a1')).toMatchObject({ syncState: 'synced' });
  expect(await flagged(phone.disk)).toEqual(['account/a1']);
});

test('A32: what was let go comes back as it is when it is asked for, and when the feed brings a record that hangs on it', async () => {
  open();
  const { tablet, phone } = await pair();
  await tablet.engine.create('account', OUT, 'a1');
  await exchange(tablet, phone);
  await pass(8 * DAY_MS, tablet, phone);
  await phone.engine.download();
  expect(await shows(phone, 'account', 'a1')).toBe(false);
  expect(await phone.engine.fetch('account', 'a1')).toMatchObject({ values: OUT });
  await pass(8 * DAY_MS, tablet, phone);
  await phone.engine.download();
  expect(await shows(phone, 'account', 'a1')).toBe(false);
  await tablet.engine.create('note', { account: 'a1', body: 'there' }, 'n1');
  await exchange(tablet, phone);
  expect(await shows(phone, 'note', 'n1')).toBe(true);
  expect(await shows(phone, 'account', 'a1')).toBe(true);
  expect(await flagged(phone.disk)).toEqual(['account/a1']);
});

test('A32: a group from out of scope that is not all here waits beyond a download, and is merged when the rest comes', async () => {
  open();
  const { tablet, phone } = await pair();
  await tablet.engine.save([
    { op: 'create', object: 'order', id: 'o1', values: { city: 'Lima' } },
    ...['l1', 'l2'].map((id) => ({ op: 'create' as const, object: 'line', id, values: { order: 'o1', city: 'Lima' } })),
  ]);
  await tablet.engine.exchange();
  phone.intercept(forgePage((page) => holdBack(page, (id) => id === 'l2')));
  await phone.engine.exchange();
  await phone.engine.download();
  expect(await shows(phone, 'order', 'o1')).toBe(false);
  expect((await phone.engine.status()).parked).toBe(1);
  phone.intercept(null);
  await tablet.engine.update('line', 'l2', { city: 'Quito' });
  await exchange(tablet, phone);
  for (const [object, id] of [['order', 'o1'], ['line', 'l1'], ['line', 'l2']] as const) expect(await shows(phone, object, id)).toBe(true);
});

test('A32: what waits of such a group goes when the grace period is over', async () => {
  open();
  const { tablet, phone } = await pair();
  await tablet.engine.save([
    { op: 'create', object: 'order', id: 'o1', values: { city: 'Lima' } },
    { op: 'create', object: 'line', id: 'l1', values: { order: 'o1', city: 'Lima' } },
  ]);
  await tablet.engine.exchange();
  phone.intercept(forgePage((page) => holdBack(page, (id) => id === 'l1')));
  await phone.engine.exchange();
  phone.intercept(null);
  expect(await flagged(phone.disk)).toEqual(['order/o1']);
  await pass(8 * DAY_MS, tablet, phone);
  await phone.engine.download();
  expect((await phone.engine.status()).parked).toBe(0);
  expect(await flagged(phone.disk)).toEqual([]);
});

test('A32: the mark outlives the app', async () => {
  open();
  const { tablet, phone } = await pair();
  await tablet.engine.create('account', OUT, 'a1');
  await exchange(tablet, phone);
  await phone.engine.close();
  const again = await world.device('ann', { storage: phone.disk });
  await again.engine.download();
  expect(await shows(again, 'account', 'a1')).toBe(true);
});

test('A32: a page that marks what it does not hold is not believed', async () => {
  open();
  const { tablet, phone } = await pair();
  await tablet.engine.create('account', OUT, 'a1');
  await tablet.engine.exchange();
  phone.intercept(forgePage((page) => ({ ...page, outside: [page.transactions.length] })));
  expect(await phone.engine.exchange()).toMatchObject({ lastFault: { code: 'TRANSPORT_BAD_ANSWER' } });
  expect(await shows(phone, 'account', 'a1')).toBe(false);
});
