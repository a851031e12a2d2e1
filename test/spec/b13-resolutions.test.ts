import { afterEach, describe, expect, test } from 'vitest';
import type { Resolution, SyncError } from '../../src/client/inbox/sync-error.ts';
import { autoNumber, decimal, defineSchema, integer, parent, picklist, reference, text } from '../../src/schema.ts';
import { refuse } from '../../src/server/index.ts';
import { memory } from '../../src/storage/memory.ts';
import { copyStore, uploadsOf } from '../support/stores.ts';
import { createWorld, goOnline, type TestDevice, type World } from '../support/world.ts';

const shared = {
  account: { coalesce: 'never', fields: { name: text(), city: text(), phone: text(), staff: integer(), number: autoNumber() } },
  contact: { coalesce: 'never', fields: { account: parent('account'), name: text(), friend: reference('account') } },
  visit: { submitted: { field: 'state', values: ['done'] }, fields: { state: picklist('open', 'done'), notes: text() } },
} as const;
const schema = defineSchema({ version: 1, objects: shared });
/** What an app knows that is newer than its server. */
const newer = defineSchema({ version: 2, objects: { ...shared, account: { coalesce: 'never', fields: { ...shared.account.fields, budget: decimal() } } } });

let world: World<typeof schema>;
/** What the server's own rules say to a change. */
let isStrict = true;
let isBroken = false;
afterEach(() => world.close());

const OFFLINE = { isOnline: false, isForeground: true };
const online = () => world.server.online;

async function open(): Promise<TestDevice> {
  isStrict = true;
  isBroken = false;
  world = createWorld(schema, {
    strictReferences: true,
    objects: {
      account: {
        validate: ({ next }) => {
          if (isBroken) throw new Error('a bug of the host');
          return isStrict && next.staff === 13 ? refuse('staff', 'unlucky', 'Thirteen will not do.') : undefined;
        },
        allow: ({ op, fields }) => !isStrict || op !== 'update' || !fields.includes('phone'),
      },
    },
  });
  await online().save([
    { op: 'create', object: 'account', id: 'a1', values: { name: 'St. Mary', city: 'Ghent', staff: 3 } },
    { op: 'create', object: 'visit', id: 'v1', values: { state: 'open' } },
  ]);
  const phone = await world.device('ann', { schema: newer });
  await phone.engine.download();
  return phone;
}

/** Per class of refusal: how a device comes to it, and what somebody changes online before a retry. */
const CLASSES: Record<SyncError['class'], { readonly change: (phone: TestDevice) => Promise<TestDevice | void>; readonly actions: readonly string[]; readonly mend?: () => unknown; readonly fix?: object }> = {
  conflict: {
    change: async ({ engine }) => {
      await online().save([{ op: 'update', object: 'account', id: 'a1', values: { city: 'Bruges' } }]);
      await engine.update('account', 'a1', { city: 'Antwerp', staff: 4 });
    },
    actions: ['undo', 'keepMine', 'fix', 'export'],
    fix: { city: 'Leuven' },
  },
  'delete-vs-edit': {
    change: async ({ engine }) => {
      await online().save([{ op: 'update', object: 'account', id: 'a1', values: { city: 'Bruges' } }]);
      await engine.remove('account', 'a1');
    },
    actions: ['undelete', 'keepMine', 'export'],
  },
  'edit-vs-delete': {
    change: async ({ engine }) => {
      await online().save([{ op: 'remove', object: 'account', id: 'a1' }]);
      await engine.update('account', 'a1', { city: 'Antwerp' });
    },
    actions: ['undo', 'recreate', 'export'],
  },
  'duplicate-key': {
    change: async ({ engine }) => {
      await online().save([{ op: 'create', object: 'account', id: 'a2', values: { name: 'theirs' } }]);
      await engine.create('account', { name: 'mine' }, 'a2');
    },
    actions: ['undo', 'recreate', 'export'],
  },
  validation: {
    change: async ({ engine }) => void (await engine.update('account', 'a1', { staff: 13, city: 'Antwerp' })),
    actions: ['undo', 'fix', 'retry', 'export'],
    mend: () => (isStrict = false),
    fix: { staff: 12 },
  },
  permission: {
    change: async ({ engine }) => void (await engine.update('account', 'a1', { phone: '1', city: 'Antwerp' })),
    actions: ['undo', 'fix', 'retry', 'export'],
    mend: () => (isStrict = false),
    // As it was: then nothing of it goes up.
    fix: { phone: null },
  },
  'missing-reference': {
    change: async ({ engine }) => void (await engine.create('contact', { account: 'nobody', name: 'Jo' }, 'c1')),
    actions: ['undo', 'fix', 'retry', 'export'],
    mend: () => online().save([{ op: 'create', object: 'account', id: 'nobody', values: { name: 'somebody' } }]),
    fix: { account: 'a1' },
  },
  metadata: {
    change: async ({ engine }) => void (await engine.update('account', 'a1', { budget: '7', city: 'Antwerp' })),
    actions: ['undo', 'fix', 'retry', 'export'],
    fix: { budget: null },
  },
  locked: {
    change: async ({ engine }) => {
      await online().save([{ op: 'update', object: 'visit', id: 'v1', values: { state: 'done' } }]);
      const other = await world.device('ann');
      await other.engine.download();
      await engine.update('visit', 'v1', { notes: 'late' });
    },
    actions: ['undo', 'retry', 'export'],
    mend: () => online().save([{ op: 'update', object: 'visit', id: 'v1', values: { state: 'open' } }]),
  },
  'server-error': {
    change: async ({ engine }) => {
      isBroken = true;
      await engine.update('account', 'a1', { city: 'Antwerp' });
      await engine.setLifecycle({ isOnline: true });
      for (let hour = 0; hour < 30 && (await engine.status()).syncErrors === 0; hour++) await world.clock.advance(3_600_000);
    },
    actions: ['undo', 'retry', 'export'],
    mend: () => (isBroken = false),
  },
  'too-large': {
    change: async (phone) => {
      await phone.engine.create('account', { name: 'x'.repeat(100) }, 'a3');
      phone.intercept(async (request, send) => (request.path === 'upload' ? Promise.reject(new Error('lost')) : send(request)));
      await goOnline(phone);
      let isRefused = false;
      phone.intercept(async (request, send) => {
        if (request.path !== 'upload' || isRefused) return send(request);
        isRefused = true;
        return { status: 413, headers: (await send({ ...request, path: 'nowhere' })).headers, body: (await send({ ...request, path: 'nowhere' })).body };
      });
    },
    actions: ['undo', 'fix', 'retry', 'export'],
    mend: () => {},
    fix: { name: 'shorter' },
  },
  'fate-unknown': {
    change: async (phone) => {
      const copy = memory();
      await copyStore(phone.disk, copy, ['account', 'visit']);
      await phone.engine.create('account', { name: 'of the original' }, 'a4');
      await goOnline(phone);
      const copied = await world.device('ann', { storage: copy, schema: newer, lifecycle: OFFLINE });
      await copied.engine.create('account', { name: 'of the copy' }, 'a5');
      return copied;
    },
    actions: ['undo', 'retry', 'export'],
    mend: () => {},
  },
};
const classes = Object.entries(CLASSES) as [SyncError['class'], (typeof CLASSES)[SyncError['class']]][];

/** A device with one sync error of a class, and a later save that waits behind it. */
async function refused(reason: SyncError['class']): Promise<{ readonly phone: TestDevice; readonly error: SyncError; readonly later: number | null }> {
  const first = await open();
  await first.engine.setLifecycle({ isOnline: false });
  const phone = (await CLASSES[reason].change(first)) ?? first;
  await goOnline(phone);
  const [error, ...others] = await phone.engine.listSyncErrors();
  expect(others).toEqual([]);
  expect(error).toMatchObject({ class: reason });
  const isGone = (await phone.engine.get(error!.object, error!.recordId)) === null;
  const change = error!.object === 'account' ? { name: 'later' } : error!.object === 'visit' ? { notes: 'later' } : { name: 'later' };
  const later = isGone ? null : (await phone.engine.update(error!.object, error!.recordId, change)).entry;
  return { phone, error: error!, later };
}

async function expectAlike({ engine }: TestDevice): Promise<void> {
  await engine.exchange();
  expect(await engine.status()).toMatchObject({ syncErrors: 0, pending: 0 });
  await engine.download();
  for (const object of ['account', 'contact', 'visit']) {
    const here = (await engine.query({ object })).map(({ id, values: { budget: _budget, ...values } }) => ({ id, values }));
    const there = (await online().list(object as 'account')).map(({ id, values }) => ({ id, values }));
    expect(here).toEqual(there);
  }
}

describe('B13: a sync error of class', () => {
  test.each(classes)('%s says what can be done about it, and nothing else can be', async (reason, { actions }) => {
    const { phone, error, later } = await refused(reason);
    expect(error.actions).toEqual(actions);
    expect(await phone.engine.listSyncErrors()).toMatchObject([{ dependants: later === null ? [] : [{ entry: later, object: error.object, id: error.recordId }] }]);
    for (const action of ['retry', 'keepMine', 'fix', 'recreate', 'undelete'] as const) {
      if (actions.includes(action)) continue;
      await expect(phone.engine.resolve(error.id, action)).rejects.toMatchObject({ code: 'SYNC_ERROR_ACTION_UNAVAILABLE', details: { actions: actions.join(' ') } });
    }
    expect(await phone.engine.status()).toMatchObject({ syncErrors: 1 });
  });

  test.each(classes)('%s can be taken back with what waits behind it: device and server are alike, and the journal has all of it', async (reason) => {
    const { phone, error, later } = await refused(reason);
    const { undone } = await phone.engine.resolve(error.id, 'undo');
    expect(undone).toEqual(later === null ? [error.id] : [error.id, later]);
    expect(await phone.engine.status()).toMatchObject({ syncErrors: 0, pending: 0 });
    expect((await phone.engine.readJournal()).map(({ entry, reason: why }) => [entry, why])).toEqual(undone.map((entry) => [entry, 'undone']));
    for (const entry of undone) expect(await phone.engine.outcome(entry)).toEqual({ kind: 'undone' });
    await expectAlike(phone);
  });

  test.each(classes.filter(([, { mend }]) => mend !== undefined))('%s goes up by a retry once somebody has made room, and what waits behind it follows', async (reason, { mend }) => {
    const { phone, error, later } = await refused(reason);
    await mend!();
    expect(await phone.engine.resolve(error.id, 'retry')).toEqual({ kind: 'resolved', undone: [], recreated: [] });
    await phone.engine.exchange();
    expect(await phone.engine.status()).toMatchObject({ syncErrors: 0, pending: 0 });
    for (const entry of [error.id, later]) if (entry !== null) expect(await phone.engine.outcome(entry)).toEqual({ kind: 'saved' });
    await expectAlike(phone);
  });

  test.each(classes.filter(([, { fix }]) => fix !== undefined))('%s goes up with other values, what they replace is in the journal, and what waits behind it follows', async (reason, { fix }) => {
    const { phone, error, later } = await refused(reason);
    await phone.engine.resolve(error.id, 'fix', fix as Record<string, unknown>);
    expect(await phone.engine.readJournal()).toMatchObject([{ entry: error.id, reason: 'superseded' }]);
    await phone.engine.exchange();
    for (const entry of [error.id, later]) if (entry !== null) expect(await phone.engine.outcome(entry)).toEqual({ kind: 'saved' });
    expect((await online().get(error.object as 'account', error.recordId))?.values).toMatchObject({ ...('budget' in fix! ? {} : fix), ...(error.object === 'account' ? { name: 'later' } : {}) });
    await expectAlike(phone);
  });

  test.each(classes.filter(([, { actions }]) => actions.includes('keepMine')))('%s overwrites what is online when the user keeps theirs', async (reason) => {
    const { phone, error } = await refused(reason);
    await phone.engine.resolve(error.id, 'keepMine');
    await phone.engine.exchange();
    expect(await phone.engine.outcome(error.id)).toEqual({ kind: 'saved' });
    const now = await online().get('account', 'a1');
    if (reason === 'conflict') expect(now?.values).toMatchObject({ city: 'Antwerp', staff: 4, name: 'later' });
    else expect(await online().list('account')).toEqual([]);
    await expectAlike(phone);
  });

  test.each(classes.filter(([, { actions }]) => actions.includes('recreate')))('%s is saved as a new record, with later edits in it and what refers to it', async (reason) => {
    const { phone, error, later } = await refused(reason);
    await phone.engine.setLifecycle({ isOnline: false });
    const contact = await phone.engine.create('contact', { name: 'Jo', account: error.recordId, friend: error.recordId });
    const { recreated } = await phone.engine.resolve(error.id, 'recreate');
    expect(recreated).toEqual([{ object: 'account', from: error.recordId, to: expect.any(String) as string }]);
    const { to } = recreated[0]!;
    await goOnline(phone);
    expect(await phone.engine.outcome(error.id)).toEqual({ kind: 'saved' });
    expect(await phone.engine.outcome(later!)).toEqual({ kind: 'withdrawn' });
    expect(await phone.engine.outcome(contact.entry!)).toEqual({ kind: 'saved' });
    expect((await online().get('account', to))?.values).toMatchObject({ name: 'later', city: reason === 'edit-vs-delete' ? 'Antwerp' : null });
    expect((await online().get('contact', contact.id))?.values).toMatchObject({ account: to, friend: to });
    expect(await phone.engine.readJournal(error.id)).toMatchObject([{ reason: 'superseded', members: [{ id: error.recordId }] }]);
    await expectAlike(phone);
  });
});

describe('B13: resolving', () => {
  test('A26: what takes the place of a refused entry keeps its number on the device and its turn, under a new upload number', async () => {
    const { phone, error, later } = await refused('validation');
    const numbers = () => uploadsOf(phone).flatMap(({ entries }) => entries.map(({ number }) => number));
    const before = numbers();
    const other = await phone.engine.create('account', { name: 'in between' });
    await phone.engine.exchange();
    isStrict = false;
    await phone.engine.resolve(error.id, 'retry');
    await phone.engine.exchange();
    expect(phone.events.flatMap((event) => (event.type === 'upload:accepted' ? [event.entry] : []))).toEqual([other.entry, error.id, later]);
    expect(new Set(numbers()).size).toBe(numbers().length);
    expect(numbers().length).toBe(before.length + 3);
  });

  test('C2: the retry of a change on which the server decided nothing goes out under its old number with its old bytes', async () => {
    const { phone, error } = await refused('server-error');
    const [first] = uploadsOf(phone);
    const ofNumber = () => uploadsOf(phone).filter(({ entries }) => entries.some(({ number }) => number === first!.entries[0]!.number));
    const tries = ofNumber().length;
    isBroken = false;
    await phone.engine.resolve(error.id, 'retry');
    await phone.engine.exchange();
    const repeated = ofNumber();
    expect(repeated).toHaveLength(tries + 1);
    expect(repeated.every(({ items }) => Buffer.from(items).equals(Buffer.from(first!.items)))).toBe(true);
  });

  test('C2: a change on which the server may still decide is given up there first; where it has decided, that stands', async () => {
    const { phone, error } = await refused('server-error');
    const lost = phone.requests.filter(({ path }) => path === 'upload').at(-1)!;
    isBroken = false;
    // A copy of an old request arrives late, and is saved.
    phone.intercept(async (request, send) => {
      phone.intercept(null);
      await send({ method: lost.method, path: lost.path, headers: lost.headers, body: lost.body! });
      return send(request);
    });
    expect(await phone.engine.resolve(error.id, 'undo')).toEqual({ kind: 'settled', undone: [], recreated: [] });
    expect(await phone.engine.outcome(error.id)).toEqual({ kind: 'saved' });
    expect((await online().get('account', 'a1'))?.values.city).toBe('Antwerp');
    await expectAlike(phone);
  });

  test('C2: without a network a change of unknown fate cannot be taken back, and stays', async () => {
    const { phone, error } = await refused('server-error');
    phone.intercept(() => Promise.reject(new TypeError('no network')));
    await expect(phone.engine.resolve(error.id, 'undo')).rejects.toMatchObject({ code: 'TRANSPORT_UNREACHABLE' });
    expect(await phone.engine.status()).toMatchObject({ syncErrors: 1 });
  });

  test('A26: later edits go on from the fixed values, so that they conflict with nobody', async () => {
    const { phone, error } = await refused('validation');
    await phone.engine.update('account', 'a1', { staff: 20 });
    await phone.engine.resolve(error.id, 'fix', { staff: 12, city: 'Leuven' });
    await phone.engine.update('account', 'a1', { city: 'Mechelen' });
    await phone.engine.exchange();
    expect(await phone.engine.status()).toMatchObject({ syncErrors: 0, pending: 0 });
    expect((await online().get('account', 'a1'))?.values).toMatchObject({ staff: 20, city: 'Mechelen', name: 'later' });
  });

  test('A26: a fix with what no field can hold is refused, and changes nothing', async () => {
    const { phone, error } = await refused('validation');
    await expect(phone.engine.resolve(error.id, 'fix', { staff: 'many' })).rejects.toMatchObject({ code: 'VALUE_INVALID' });
    await expect(phone.engine.resolve(error.id, 'fix', { colour: 'red' })).rejects.toMatchObject({ code: 'FIELD_UNKNOWN' });
    await expect(phone.engine.resolve(error.id, 'fix', [{ object: 'account', id: 'other', values: {} }])).rejects.toMatchObject({ code: 'RECORD_MISSING' });
    expect(await phone.engine.listSyncErrors()).toMatchObject([{ id: error.id, fields: error.fields }]);
    expect(await phone.engine.readJournal()).toEqual([]);
  });

  test('A26: a fix that leaves nothing to change ends the change', async () => {
    const { phone, error, later } = await refused('validation');
    await phone.engine.resolve(error.id, 'fix', { staff: 3, city: 'Ghent' });
    expect(await phone.engine.outcome(error.id)).toEqual({ kind: 'withdrawn' });
    await phone.engine.exchange();
    expect(await phone.engine.outcome(later!)).toEqual({ kind: 'saved' });
    await expectAlike(phone);
  });

  test('B13: whoever keeps theirs overwrites what the list shows, and nothing that came online since', async () => {
    const { phone, error } = await refused('conflict');
    let isFirst = true;
    phone.intercept(async (request, send) => {
      if (request.path === 'upload' && isFirst) {
        isFirst = false;
        await online().save([{ op: 'update', object: 'account', id: 'a1', values: { city: 'Hasselt' } }]);
      }
      return send(request);
    });
    await phone.engine.resolve(error.id, 'keepMine');
    await phone.engine.exchange();
    expect(await phone.engine.listSyncErrors()).toMatchObject([{ id: error.id, class: 'conflict', fields: expect.arrayContaining([expect.objectContaining({ field: 'city', previous: 'Bruges', mine: 'Antwerp', online: 'Hasselt' })]) as unknown }]);
    expect((await online().get('account', 'a1'))?.values.city).toBe('Hasselt');
  });

  test('B13: many at once are answered one by one, and what fails for one does not stop the others', async () => {
    const phone = await open();
    await phone.engine.setLifecycle({ isOnline: false });
    const bad = await phone.engine.update('account', 'a1', { staff: 13 });
    const dead = await phone.engine.create('contact', { account: 'nobody', name: 'Jo' }, 'c1');
    const worse = await phone.engine.create('account', { staff: 13 }, 'a9');
    await goOnline(phone);
    isStrict = false;
    expect(await phone.engine.resolveAll([bad.entry!, 999, dead.entry!, bad.entry!], 'retry')).toEqual([
      { syncError: bad.entry, kind: 'resolved', undone: [], recreated: [] },
      { syncError: 999, kind: 'failed', fault: expect.objectContaining({ code: 'SYNC_ERROR_UNKNOWN' }) as object },
      { syncError: dead.entry, kind: 'resolved', undone: [], recreated: [] },
      { syncError: bad.entry, kind: 'gone' },
    ]);
    await phone.engine.exchange();
    expect(await phone.engine.outcome(bad.entry!)).toEqual({ kind: 'saved' });
    expect(await phone.engine.resolveAll('all', 'keepMine')).toMatchObject([
      { syncError: dead.entry, kind: 'failed', fault: { code: 'SYNC_ERROR_ACTION_UNAVAILABLE' } },
      { syncError: worse.entry, kind: 'failed', fault: { code: 'SYNC_ERROR_ACTION_UNAVAILABLE' } },
    ]);
    expect(await phone.engine.resolveAll('all', 'undo')).toMatchObject([{ kind: 'resolved', undone: [dead.entry] }, { kind: 'resolved', undone: [worse.entry] }]);
    await expectAlike(phone);
  });

  test('B13: an export says what the user saw and wrote and why it was refused, and resolves nothing', async () => {
    const { phone, error, later } = await refused('conflict');
    const [first, second] = await phone.engine.exportEntries('all');
    expect(first).toEqual({
      entry: error.id,
      savedAt: error.savedAt,
      state: 'failed',
      members: [{ object: 'account', id: 'a1', op: 'update', previous: { city: 'Ghent', staff: 3 }, mine: { city: 'Antwerp', staff: 4 } }],
      refusal: { class: 'conflict', code: 'conflict', message: error.message, refusedAt: error.refusedAt },
    });
    expect(second).toMatchObject({ entry: later, state: 'queued', refusal: null });
    expect(await phone.engine.exportEntries([later!, 999])).toHaveLength(1);
    expect(structuredClone(first)).toEqual(first);
    expect(await phone.engine.status()).toMatchObject({ syncErrors: 1, pending: 1 });
  });

  test('B13: who looks at the list hears when what is online changes, or what waits behind, though the number stays the same', async () => {
    const { phone, error } = await refused('conflict');
    const heard: (readonly SyncError[])[] = [];
    const stop = await phone.engine.watchSyncErrors((errors) => heard.push(errors));
    expect(heard).toHaveLength(1);
    const tablet = await world.device('ann');
    await tablet.engine.download();
    await tablet.engine.update('account', 'a1', { city: 'Hasselt' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    expect(heard.at(-1)).toMatchObject([{ id: error.id, fields: [{ field: 'city', online: 'Hasselt' }, { field: 'staff' }] }]);
    const calls = heard.length;
    const another = await phone.engine.update('account', 'a1', { phone: '7' });
    await phone.engine.status();
    await phone.engine.get('account', 'a1');
    expect(heard.length).toBe(calls + 1);
    expect(heard.at(-1)![0]!.dependants.map(({ entry }) => entry)).toContain(another.entry);
    await phone.engine.exchange();
    expect(heard.length).toBe(calls + 1);
    await phone.engine.resolve(error.id, 'undo');
    await phone.engine.listSyncErrors();
    expect(heard.at(-1)).toEqual([]);
    stop();
  });

  test.each(['undo', 'retry', 'keepMine', 'fix', 'recreate'] as const)('B13: %s of what is no sync error is refused', async (action: Resolution) => {
    const phone = await open();
    await phone.engine.setLifecycle({ isOnline: false });
    const { entry } = await phone.engine.update('account', 'a1', { city: 'x' });
    for (const id of [entry!, 999]) await expect(phone.engine.resolve(id, action)).rejects.toMatchObject({ code: 'SYNC_ERROR_UNKNOWN' });
  });
});
