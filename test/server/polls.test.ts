import { describe, expect, test } from 'vitest';
import { formatCursor } from '../../src/protocol/messages.ts';
import { SyncFault } from '../../src/shared/fault.ts';
import type { Authenticate } from '../../src/server/index.ts';
import { memory } from '../../src/server/store/memory.ts';
import type { ServerStore } from '../../src/server/store/server-store.ts';
import { describeOnBothStores } from './both-stores.ts';
import { createWorld, readFault, settle, type TestChange } from './harness.ts';

const account = (id: string): TestChange => ({ create: 'account', id, values: { name: id } });

/** A store that notes how many devices each look-up was for, and keeps reads waiting until it is told to let them go. */
function watched(inner: ServerStore): { readonly store: ServerStore; readonly lookUps: number[]; readonly pages: () => number; hold(what?: 'reads' | 'pages'): () => void } {
  const lookUps: number[] = [];
  let pages = 0;
  const gates = { reads: Promise.resolve(), pages: Promise.resolve() };
  const store: ServerStore = {
    ...inner,
    async read(tenant, work) {
      await gates.reads;
      return inner.read(tenant, (view) =>
        work({
          ...view,
          readHeads(devices, kind) {
            lookUps.push(devices.length);
            return view.readHeads(devices, kind);
          },
          async listFeed(...range) {
            pages++;
            await gates.pages;
            return view.listFeed(...range);
          },
        }),
      );
    },
  };
  return {
    store,
    lookUps,
    pages: () => pages,
    hold(what = 'reads') {
      let open = (): void => {};
      gates[what] = new Promise((resolve) => (open = resolve));
      return open;
    },
  };
}

describeOnBothStores('a poll with nothing new', (newWorld) => {
  test('is answered 204 with the head, for each device its own', async () => {
    const { device } = newWorld();
    await device('ann').save(1, account('a1'));
    await device('ann').save(2, account('a2'));
    await device('bob').save(1, account('b1'));
    const next = [];
    for (const user of ['ann', 'bob']) next.push({ user, cursor: formatCursor((await device(user).poll(null))!.next) });
    const answers = await Promise.all([...next, ...next].map(({ user, cursor }) => device(user).get('feed', { cursor })));
    expect(answers.map(({ status, headers }) => [status, headers['fieldtide-store'], headers['fieldtide-head']])).toEqual([
      [204, 'ann-tablet', '2'],
      [204, 'bob-tablet', '1'],
      [204, 'ann-tablet', '2'],
      [204, 'bob-tablet', '1'],
    ]);
  });

  test('sees what was saved before it, by whichever server of the database', async () => {
    const world = newWorld();
    const other = createWorld({ ...world.scope, tenant: world.scope.tenant ?? 'default', store: world.store });
    const { next } = (await world.device('ann').poll(null))!;
    for (let number = 1; number <= 10; number++) {
      await other.device('ann', 'ann-phone').save(number, account(`a${number}`));
      expect((await world.device('ann').poll(next))?.transactions.length).toBe(number);
    }
  });

  test('of a device that is new to the server, or was revoked or belongs to somebody else, ends as it always did', async () => {
    const { device, server, scope } = newWorld();
    expect(await device('ann').poll(null)).toMatchObject({ gap: null, transactions: [] });
    expect(readFault(await device('bob', 'ann-tablet').get('feed'))).toMatchObject({ status: 403, code: 'AUTH_REFUSED' });
    await server.devices.revoke({ ...scope, store: 'ann-tablet' });
    expect(readFault(await device('ann').get('feed'))).toMatchObject({ status: 403, code: 'DEVICE_REVOKED' });
    expect(readFault(await device('bob', 'ann-tablet').get('feed'))).toMatchObject({ status: 403, code: 'AUTH_REFUSED' });
    await server.devices.restore({ ...scope, store: 'ann-tablet' });
    expect((await device('ann').get('feed')).status).toBe(200);
  });
});

describe('polls at the same time', () => {
  test('share a look-up: one is under way, the others wait for the next together', async () => {
    const { store, lookUps, hold } = watched(memory());
    const { device } = createWorld({ store });
    const devices = Array.from({ length: 40 }, (_, index) => device(`user-${index}`));
    const cursors = await Promise.all(devices.map(async (each) => formatCursor((await each.poll(null))!.next)));
    lookUps.length = 0;
    const release = hold();
    const polls = devices.map((each, index) => each.get('feed', { cursor: cursors[index]! }));
    await settle();
    release();
    expect((await Promise.all(polls)).map(({ status }) => status)).toEqual(devices.map(() => 204));
    expect(lookUps).toEqual([1, 39]);
  });

  test('of two tenants never do', async () => {
    const { store, lookUps, hold } = watched(memory());
    const { device } = createWorld({ store });
    const users = ['t1/ann', 't2/ann', 't1/bob', 't2/bob', 't1/cas'];
    const devices = users.map((user, index) => device(user, `s${index}`));
    const cursors = await Promise.all(devices.map(async (each) => formatCursor((await each.poll(null))!.next)));
    lookUps.length = 0;
    const release = hold();
    const polls = devices.map((each, index) => each.get('feed', { cursor: cursors[index]! }));
    await settle();
    release();
    await Promise.all(polls);
    expect(lookUps).toEqual([1, 1, 2, 1]);
  });

  test('that come quickly one after another wait for a few milliseconds, and a poll by itself for none', async () => {
    const { store, lookUps } = watched(memory());
    const { device, clock } = createWorld({ store, pollSharingMs: 4 });
    const ann = device('ann'), bob = device('bob');
    const first = ann.get('feed');
    await settle();
    expect((await first).status).toBe(200);
    const later = [ann.get('feed'), bob.get('feed')];
    await settle();
    expect(lookUps).toEqual([1]);
    await clock.advance(4);
    expect((await Promise.all(later)).map(({ status }) => status)).toEqual([200, 200]);
    expect(lookUps).toEqual([1, 2]);
    await clock.advance(100);
    await ann.get('feed');
    expect(lookUps).toEqual([1, 2, 1]);
  });

  test('that come right after a slow look-up share the next: its end counts, not its beginning', async () => {
    const { store, lookUps, hold } = watched(memory());
    const { device, clock } = createWorld({ store, pollSharingMs: 4 });
    const release = hold();
    const slow = device('ann').get('feed');
    await settle();
    await clock.advance(50);
    release();
    expect((await slow).status).toBe(200);
    const later = [device('bob').get('feed'), device('cas').get('feed')];
    await settle();
    expect(lookUps).toEqual([1]);
    await clock.advance(4);
    expect((await Promise.all(later)).map(({ status }) => status)).toEqual([200, 200]);
    expect(lookUps).toEqual([1, 2]);
  });

  test('all fail when their look-up does, and the next ones do not', async () => {
    const inner = memory();
    let fails = true;
    const store: ServerStore = { ...inner, read: (tenant, work) => (fails ? Promise.reject(new SyncFault('STORAGE_FAILED', 'the database is away')) : inner.read(tenant, work)) };
    const { device } = createWorld({ store });
    const answers = await Promise.all(['ann', 'bob', 'cas'].map((user) => device(user).get('feed')));
    expect(answers.map(({ status }) => status)).toEqual([500, 500, 500]);
    fails = false;
    expect((await device('ann').get('feed')).status).toBe(200);
  });
});

describe('a server with too much to do', () => {
  test('turns polls away before it asks who sends them, each with another time to come back', async () => {
    const { store, hold } = watched(memory());
    let asked = 0;
    const authenticate: Authenticate = ({ headers }) => {
      asked++;
      return { user: headers.authorization ?? '' };
    };
    const { device } = createWorld({ store, authenticate, maxConcurrent: { polls: 2 } });
    const release = hold();
    const polls = Array.from({ length: 42 }, (_, index) => device(`user-${index}`).get('feed'));
    const refused = await Promise.all(polls.slice(2));
    expect(asked).toBe(2);
    for (const response of refused) expect(readFault(response)).toMatchObject({ status: 503, code: 'SERVER_BUSY' });
    const waits = refused.map(({ headers }) => Number(headers['retry-after']));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(5);
    expect(Math.max(...waits)).toBeLessThanOrEqual(35);
    expect(new Set(waits).size).toBeGreaterThan(10);
    release();
    expect((await Promise.all(polls.slice(0, 2))).map(({ status }) => status)).toEqual([200, 200]);
    expect((await device('ann').get('feed')).status).toBe(200);
  });

  test('reads no body of an upload that it turns away', async () => {
    const { store, hold } = watched(memory());
    const { device, server } = createWorld({ store, maxConcurrent: { uploads: 1 } });
    const ann = device('ann');
    const release = hold();
    const first = ann.post(ann.encodeUpload([{ number: 1, changes: [account('a1')] }]));
    await settle();
    let isRead = false;
    const second = await server.handle({ method: 'POST', path: '/sync/upload', query: {}, headers: { authorization: 'bob' }, body: async () => ((isRead = true), new Uint8Array()) });
    expect([readFault(second).status, isRead]).toEqual([503, false]);
    release();
    expect((await first).status).toBe(200);
  });

  test('still takes uploads when every place for polls is taken, and when every place for uploads is still answers polls', async () => {
    const { store, hold } = watched(memory());
    const { device } = createWorld({ store, maxConcurrent: { polls: 1, uploads: 1 } });
    const ann = device('ann');
    await ann.poll(null);
    const release = hold();
    const poll = ann.get('feed'), upload = ann.post(ann.encodeUpload([{ number: 1, changes: [account('a1')] }]));
    await settle();
    expect([(await device('bob').get('feed')).status, (await device('bob').post(new Uint8Array())).status]).toEqual([503, 503]);
    release();
    expect([(await poll).status, (await upload).status]).toEqual([200, 200]);
  });

  test('does not ask more of its store for polls that read a page than it can spare', async () => {
    const { store, pages, hold } = watched(memory());
    const { device } = createWorld({ store });
    // In memory the transactions of a tenant wait for each other anyway.
    const devices = Array.from({ length: 30 }, (_, index) => device(`tenant-${index}/ann`));
    for (const each of devices) await each.save(1, account('a1'));
    const release = hold('pages');
    const polls = devices.map((each) => each.poll(null));
    await settle();
    expect(pages()).toBe(4);
    expect((await device('another/bob').save(1, account('b1'))).outcome).toBe('saved');
    release();
    expect((await Promise.all(polls)).map((page) => page!.transactions.length)).toEqual(devices.map(() => 1));
  });
});

describe('what the host says of a token', () => {
  const counting = (answer: Authenticate = ({ headers }) => ({ user: headers.authorization! })) => {
    let asked = 0;
    const authenticate: Authenticate = (request) => {
      asked++;
      return answer(request);
    };
    return { authenticate, asked: () => asked };
  };

  test('is asked for with each request unless the host wants it otherwise', async () => {
    const { authenticate, asked } = counting();
    const { device } = createWorld({ authenticate });
    for (let poll = 0; poll < 3; poll++) await device('ann').get('feed');
    expect(asked()).toBe(3);
  });

  test('that does not come in time is "try later", and gives the place back that it was waited for in', async () => {
    let isHanging = true;
    const authenticate: Authenticate = () => (isHanging ? new Promise(() => {}) : { user: 'ann' });
    const { device, clock } = createWorld({ authenticate, maxConcurrent: { polls: 1 } });
    const waiting = device('ann').get('feed');
    await clock.advance(9_999);
    expect((await device('ann').get('feed')).status).toBe(503);
    isHanging = false;
    await clock.advance(1);
    expect(readFault(await waiting)).toMatchObject({ status: 503, code: 'SERVER_BUSY' });
    expect((await device('ann').get('feed')).status).toBe(200);
  });

  test('counts for as long as the host wants, for that token alone', async () => {
    const { authenticate, asked } = counting();
    const { device, clock } = createWorld({ authenticate, authCache: { forMs: 60_000 } });
    for (let poll = 0; poll < 3; poll++) for (const user of ['ann', 'bob']) expect((await device(user).hello()).user).toBe(user);
    expect(asked()).toBe(2);
    await clock.advance(59_999);
    await device('ann').get('feed');
    expect(asked()).toBe(2);
    await clock.advance(1);
    await device('ann').get('feed');
    expect(asked()).toBe(3);
  });

  test('is never remembered when it was no', async () => {
    let isLetIn = false;
    const { authenticate, asked } = counting(({ headers }) => (isLetIn ? { user: headers.authorization! } : null));
    const { device } = createWorld({ authenticate, authCache: { forMs: 60_000 } });
    expect((await device('ann').get('feed')).status).toBe(401);
    isLetIn = true;
    expect((await device('ann').get('feed')).status).toBe(200);
    expect(asked()).toBe(2);
  });

  test('without a token is never remembered', async () => {
    const { authenticate, asked } = counting(() => ({ user: 'guest' }));
    const { server } = createWorld({ authenticate, authCache: { forMs: 60_000 } });
    const headers = { 'fieldtide-protocol': '1', 'fieldtide-store': 's', 'fieldtide-attempt': 'a' };
    for (let poll = 0; poll < 2; poll++) await server.handle({ method: 'GET', path: '/feed', query: {}, headers, body: async () => new Uint8Array() });
    expect(asked()).toBe(2);
  });

  test('is told apart by every header that the host looks at', async () => {
    const { authenticate, asked } = counting(({ headers }) => ({ user: headers.authorization!, tenant: headers['x-tenant']! }));
    const { device } = createWorld({ authenticate, authCache: { forMs: 60_000, headers: ['authorization', 'x-tenant'] } });
    for (let poll = 0; poll < 2; poll++) for (const tenant of ['t1', 't2']) expect((await device('ann').get('feed', {}, { 'x-tenant': tenant })).status).toBe(200);
    expect(asked()).toBe(2);
  });

  test('is remembered for so many tokens at most, the newest', async () => {
    const { authenticate, asked } = counting();
    const { device } = createWorld({ authenticate, authCache: { forMs: 60_000, most: 2 } });
    for (const user of ['ann', 'bob', 'cas', 'cas', 'bob']) await device(user).get('feed');
    expect(asked()).toBe(3);
    await device('ann').get('feed');
    expect(asked()).toBe(4);
  });

  test('is not changed by a hook for those who come later', async () => {
    const { authenticate } = counting(({ headers }) => ({ user: headers.authorization!, roles: 'reader' }));
    const seen: unknown[] = [];
    const { device } = createWorld({
      authenticate,
      authCache: { forMs: 60_000 },
      canSee(principal) {
        seen.push(principal.claims.roles);
        expect(() => Object.assign(principal.claims, { roles: 'admin' })).toThrow();
        return true;
      },
    });
    await device('ann').save(1, account('a1'));
    await device('ann').poll(null);
    expect(new Set(seen)).toEqual(new Set(['reader']));
  });
});
