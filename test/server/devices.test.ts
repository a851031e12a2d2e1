import { expect, test } from 'vitest';
import { encodeEnvelope } from '../../src/protocol/envelope.ts';
import { HEADERS } from '../../src/protocol/messages.ts';
import type { ServerStore, StoreTransaction } from '../../src/server/index.ts';
import { describeOnBothStores } from './both-stores.ts';
import { createWorld, readFault, type TestChange, type TestDevice } from './harness.ts';

const create = (id: string): TestChange => ({ create: 'account', id, values: { name: id } });

/** One request to each endpoint. */
async function askEverything(device: TestDevice) {
  return [
    await device.get('hello'),
    await device.get('feed'),
    await device.get('snapshot'),
    await device.get('record', { object: 'account', id: 'a1' }),
    await device.post(device.encodeUpload([{ number: 90, changes: [create('a90')] }])),
    await device.post(encodeEnvelope({ protocol: 1, store: device.store, attempt: 'x', numbers: [91] }), {}, 'void'),
  ];
}

describeOnBothStores('devices', (newWorld) => {
  test('A3: devices are listed with their user, when they were seen and what they said is pending', async () => {
    const { device, server, scope, clock } = newWorld();
    const began = clock.now();
    await device('ann').hello();
    await clock.advance(1_000);
    await device('bob').get('feed', {}, { [HEADERS.pending]: '3.120' });
    await clock.advance(1_000);
    await device('ann', 'ann-phone').get('feed', {}, { [HEADERS.pending]: '0.0' });
    expect(await server.devices.list(scope)).toEqual([
      { store: 'ann-phone', user: 'ann', lastSeenAt: began + 2_000, pending: { count: 0, oldestAgeMs: 0, reportedAt: began + 2_000 }, revokedAt: null },
      { store: 'bob-tablet', user: 'bob', lastSeenAt: began + 1_000, pending: { count: 3, oldestAgeMs: 120_000, reportedAt: began + 1_000 }, revokedAt: null },
      { store: 'ann-tablet', user: 'ann', lastSeenAt: began, pending: null, revokedAt: null },
    ]);
    expect((await server.devices.list({ ...scope, user: 'ann' })).map(({ store }) => store)).toEqual(['ann-phone', 'ann-tablet']);
    const [first] = await server.devices.list({ ...scope, limit: 1 });
    expect((await server.devices.list({ ...scope, after: first! })).map(({ store }) => store)).toEqual(['bob-tablet', 'ann-tablet']);
    expect(await server.devices.list({ tenant: 'another' })).toEqual([]);
  });

  test('A3: what was reported stays until the next report; nonsense is no report', async () => {
    const { device, server, scope, clock } = newWorld();
    const tablet = device('ann');
    const began = clock.now();
    await tablet.get('feed', {}, { [HEADERS.pending]: '2.7' });
    for (const nonsense of ['', '2', '.5', '-1.5', '1.-5', '1.5.5', '01.5', '1e3.5', '9999999999.1', '1.99999999999', ' 1.5', '1.5\n', 'NaN.0', '٣.٣']) {
      await clock.advance(90_000);
      expect((await tablet.get('feed', {}, { [HEADERS.pending]: nonsense })).status).toBe(200);
    }
    await tablet.save(1, create('a1'));
    expect(await server.devices.list(scope)).toMatchObject([{ lastSeenAt: clock.now(), pending: { count: 2, oldestAgeMs: 7_000, reportedAt: began } }]);
  });

  test('A3: a revoked device is refused at every endpoint and nothing of it is done; others of the user go on', async () => {
    const { device, server, scope, clock } = newWorld();
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, create('a1'));
    await phone.hello();
    await clock.advance(1);
    expect(await server.devices.revoke({ ...scope, store: 'ann-tablet' })).toBe(true);
    const answers = await askEverything(tablet);
    for (const answer of answers) {
      expect(readFault(answer)).toMatchObject({ status: 403, code: 'DEVICE_REVOKED' });
      expect(Buffer.from(answer.body!).toString('latin1')).not.toMatch(/a1|ann/);
    }
    expect(await server.devices.list({ ...scope, user: 'ann' })).toMatchObject([{ store: 'ann-tablet', revokedAt: clock.now() }, { store: 'ann-phone', revokedAt: null }]);
    expect((await phone.record('account', 'a90')).images).toEqual([]);
    expect((await phone.save(1, create('a2'))).outcome).toBe('saved');
    expect(await server.devices.restore({ ...scope, store: 'ann-tablet' })).toBe(true);
    expect((await askEverything(tablet)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(await server.devices.list({ ...scope, user: 'ann', limit: 1 })).toMatchObject([{ revokedAt: null }]);
  });

  test('A3: to anybody else a revoked store is just not theirs', async () => {
    const { device, server, scope } = newWorld();
    await device('ann').hello();
    await server.devices.revoke({ ...scope, store: 'ann-tablet' });
    for (const answer of await askEverything(device('bob', 'ann-tablet'))) expect(readFault(answer)).toMatchObject({ status: 403, code: 'AUTH_REFUSED' });
  });

  test('A3: a revocation holds for another server on the same store, and after a restart', async () => {
    const world = newWorld();
    const { store, scope } = world;
    const other = createWorld({ ...scope, store });
    const tablet = other.device('ann');
    await tablet.hello();
    await world.server.devices.revoke({ ...scope, store: 'ann-tablet' });
    for (const answer of await askEverything(tablet)) expect(readFault(answer)).toMatchObject({ code: 'DEVICE_REVOKED' });
    await other.server.devices.restore({ ...scope, store: 'ann-tablet' });
    expect((await tablet.hello()).user).toBe('ann');
  });

  test('A3: only a store that was used can be revoked, and only in its tenant', async () => {
    const { device, server, scope } = newWorld();
    await device('ann').hello();
    expect(await server.devices.revoke({ ...scope, store: 'nobodys' })).toBe(false);
    expect(await server.devices.revoke({ tenant: 'another', store: 'ann-tablet' })).toBe(false);
    expect(await server.devices.restore({ ...scope, store: 'ann-tablet' })).toBe(false);
    expect((await device('ann').hello()).user).toBe('ann');
  });

  test('A3: polls write at most once a minute, however many devices poll, and closing writes the rest', async () => {
    const { store, ...world } = newWorld();
    const written: string[] = [];
    const counting: ServerStore = {
      ...store,
      durability: () => store.durability(),
      run: (tenant, work) => store.run(tenant, (transaction) => work(counted(transaction, written))),
    };
    const { device, server, clock, scope } = createWorld({ ...world.scope, store: counting });
    const devices = [device('ann'), device('ann', 'ann-phone'), device('bob')];
    const poll = async () => { for (const each of devices) await each.get('feed'); };
    await poll();
    expect(written).toEqual(['ann-tablet']);
    await clock.advance(59_999);
    await poll();
    expect(written).toEqual(['ann-tablet']);
    await clock.advance(1);
    await Promise.all([devices[0]!.get('feed'), devices[1]!.get('feed')]);
    expect(written.slice(1).sort()).toEqual(['ann-phone', 'ann-tablet', 'bob-tablet']);
    const seen = clock.now();
    await clock.advance(30_000);
    await devices[2]!.get('feed');
    await server.close();
    expect(await createWorld({ ...scope, store }).server.devices.list(scope)).toMatchObject([{ store: 'bob-tablet', lastSeenAt: seen + 30_000 }, { lastSeenAt: seen }, { lastSeenAt: seen }]);
  });
});

function counted(transaction: StoreTransaction, written: string[]): StoreTransaction {
  return {
    ...transaction,
    async putFacts(facts) {
      written.push(...facts.map(({ key }) => key));
      await transaction.putFacts(facts);
    },
  };
}
