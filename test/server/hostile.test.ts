import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeEnvelope } from '../../src/protocol/envelope.ts';
import { encodeChanges, type Change } from '../../src/protocol/items.ts';
import { CONTENT_TYPE, HEADERS } from '../../src/protocol/messages.ts';
import { wireLayout } from '../../src/protocol/wire-layout.ts';
import { encodeRow, joinRow } from '../../src/protocol/row.ts';
import { decimal, defineSchema, json, text } from '../../src/schema.ts';
import { createDevice, createWorld, layoutOf, readFault, type TestChange } from './harness.ts';

const create: TestChange = { create: 'account', id: 'a1', values: { name: 'St. Mary', city: 'Ghent', extra: { deep: [1, 2] } } };
const NAME = layoutOf('account', { name: 'text' });

describe('bytes from anybody', () => {
  const bytes = (...parts: readonly number[]): Uint8Array => Uint8Array.from(parts);
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['nothing', bytes()],
    ['text', new TextEncoder().encode('<html>')],
    ['a map cut short', bytes(0x82, 0xa1, 0x61)],
    ['two values', bytes(0x01, 0x02)],
    ['an array of four thousand million', bytes(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ['a map of four thousand million', bytes(0xdf, 0xff, 0xff, 0xff, 0xff)],
    ['a text of four gigabytes', bytes(0xdb, 0xff, 0xff, 0xff, 0xff)],
    ['a depth bomb', new Uint8Array(100_000).fill(0x91)],
    ['an extension type', bytes(0xd4, 0x01, 0x00)],
    ['a number', bytes(0x07)],
    ['an empty map', bytes(0x80)],
  ];
  test.each(cases)('%s is refused as malformed, and changes nothing', async (_name, body) => {
    const { device, store } = createWorld();
    expect(readFault(await device('ann').post(body))).toMatchObject({ status: 400, code: 'PROTOCOL_MALFORMED', type: CONTENT_TYPE });
    expect(await store.read('default', (view) => view.storeOwner('ann-tablet'))).toBeNull();
  });

  const row: Change = { layout: 0, id: 'a1', op: 'create', base: [0, 0], mask: null, previous: null, next: encodeRow(NAME, { name: 'x' }) };
  const items = encodeChanges([row]);
  const valid = { layouts: [wireLayout(NAME)], entries: [{ number: 1, savedAt: 0, members: 1, headers: [], duplicateOf: null }], items };
  const envelopes: readonly (readonly [string, object, number, string])[] = [
    ['another protocol', { ...valid, protocol: 99 }, 426, 'PROTOCOL_VERSION_UNSUPPORTED'],
    ['a store that no header can carry', { ...valid, store: 'a\r\nb' }, 400, 'PROTOCOL_MALFORMED'],
    ['an attempt without end', { ...valid, attempt: 'x'.repeat(200) }, 400, 'PROTOCOL_MALFORMED'],
    ['more changes than entries name', { ...valid, entries: [] }, 400, 'PROTOCOL_MALFORMED'],
    ['fewer changes than entries name', { ...valid, entries: [{ number: 1, savedAt: 0, members: 2 ** 50, headers: [], duplicateOf: null }] }, 400, 'PROTOCOL_MALFORMED'],
    ['an entry of nothing', { ...valid, entries: [{ number: 1, savedAt: 0, members: 0, headers: [], duplicateOf: null }] }, 400, 'PROTOCOL_MALFORMED'],
    ['an entry numbered 0', { ...valid, entries: [{ number: 0, savedAt: 0, members: 1, headers: [], duplicateOf: null }] }, 400, 'PROTOCOL_MALFORMED'],
    ['too many entries', { ...valid, entries: Array.from({ length: 501 }, (_, number) => ({ number: number + 1, savedAt: 0, members: 1, headers: [], duplicateOf: null })) }, 413, 'PROTOCOL_TOO_LARGE'],
    ['an unknown type', { ...valid, layouts: [['account', [['name', 99]]]] }, 400, 'PROTOCOL_MALFORMED'],
    ['a field twice', { ...valid, layouts: [['account', [['name', 1], ['name', 1]]]] }, 400, 'PROTOCOL_MALFORMED'],
    ['no layout', { ...valid, layouts: [] }, 400, 'PROTOCOL_MALFORMED'],
    ['a row of other types', { ...valid, layouts: [['account', [['name', 3]]]] }, 400, 'PROTOCOL_MALFORMED'],
    ['items cut short', { ...valid, items: items.subarray(0, -1) }, 400, 'PROTOCOL_MALFORMED'],
    ['items that are text', { ...valid, items: 'items' }, 400, 'PROTOCOL_MALFORMED'],
    ['empty text, which is not canonical', { ...valid, items: encodeChanges([{ ...row, next: joinRow([Uint8Array.of(0xa0)]) }]) }, 400, 'PROTOCOL_MALFORMED'],
  ];
  test.each(envelopes)('an upload with %s is refused', async (_name, more, status, code) => {
    const { device } = createWorld();
    const tablet = device('ann');
    const fault = readFault(await tablet.post(encodeEnvelope({ protocol: 1, store: 'ann-tablet', attempt: 'a', schema: '', ...more })));
    expect(fault).toMatchObject({ status, code });
    expect((await tablet.snapshot())[0]!.images).toEqual([]);
  });

  test('a body over the limit is refused before it is looked at', async () => {
    const { device } = createWorld({ limits: { bodyBytes: 1_000 } });
    expect(readFault(await device('ann').post(new Uint8Array(1_001).fill(0xc1)))).toMatchObject({ status: 413, code: 'PROTOCOL_TOO_LARGE' });
  });

  test('another content type is refused', async () => {
    const { device } = createWorld();
    const tablet = device('ann');
    for (const type of ['', 'application/json', 'application/msgpack']) {
      const answer = await tablet.post(tablet.encodeUpload([{ number: 1, changes: [create] }]), { 'content-type': type });
      expect(readFault(answer)).toMatchObject({ status: 400, code: 'PROTOCOL_MALFORMED' });
    }
    expect((await tablet.post(tablet.encodeUpload([{ number: 1, changes: [create] }]), { 'content-type': `${CONTENT_TYPE}; v=1` })).status).toBe(200);
  });

  test('any damage to an upload ends in a typed answer, and what was not accepted changed nothing', async () => {
    const { device } = createWorld();
    const tablet = device('ann');
    const whole = tablet.encodeUpload([{ number: 1, changes: [create, { create: 'order', id: 'o1', values: { notes: 'x'.repeat(50) } }] }]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }), fc.nat(whole.length), async (flips, cut) => {
        const damaged = whole.slice(0, flips[0]![1] % 4 === 0 ? cut : whole.length);
        for (const [at, byte] of flips) if (at < damaged.length) damaged[at] = byte;
        const fresh = createWorld();
        const answer = await fresh.device('ann').post(damaged);
        expect([200, 400, 413, 426]).toContain(answer.status);
        expect(answer.headers['content-type']).toBe(CONTENT_TYPE);
        if (answer.status !== 200) expect((await fresh.device('bob').snapshot())[0]!.images).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('queries and headers from anybody', () => {
  const good = { authorization: 'ann', [HEADERS.protocol]: '1', [HEADERS.store]: 's', [HEADERS.attempt]: 'a' };
  const cases: readonly (readonly [string, string, Readonly<Record<string, string>>, Readonly<Record<string, string>>, number, string])[] = [
    ['no protocol', 'hello', {}, { ...good, [HEADERS.protocol]: '' }, 400, 'PROTOCOL_MALFORMED'],
    ['a protocol of the future', 'hello', {}, { ...good, [HEADERS.protocol]: '2' }, 426, 'PROTOCOL_VERSION_UNSUPPORTED'],
    ['no store', 'feed', {}, { ...good, [HEADERS.store]: '' }, 400, 'PROTOCOL_MALFORMED'],
    ['no attempt', 'feed', {}, { ...good, [HEADERS.attempt]: '' }, 400, 'PROTOCOL_MALFORMED'],
    ['a cursor that is none', 'feed', { cursor: 'x' }, good, 400, 'PROTOCOL_CURSOR_INVALID'],
    ['a cursor beyond all numbers', 'feed', { cursor: 'f.1.9999999999999999' }, good, 400, 'PROTOCOL_CURSOR_INVALID'],
    ['a limit of nothing', 'feed', { limit: '000' }, good, 400, 'PROTOCOL_MALFORMED'],
    ['an id that no store can hold', 'record', { object: 'account', id: '\0' }, good, 400, 'PROTOCOL_MALFORMED'],
    ['no id', 'record', { object: 'account' }, good, 400, 'PROTOCOL_MALFORMED'],
    ['a key that no store can hold', 'snapshot', { object: 'account', id: 'a\0' }, good, 400, 'PROTOCOL_MALFORMED'],
    ['a limit that is no number', 'snapshot', { limit: '-1' }, good, 400, 'PROTOCOL_MALFORMED'],
    ['an unknown object', 'snapshot', { object: 'user', id: 'x' }, good, 404, 'PROTOCOL_NOT_FOUND'],
    ['an object that every JavaScript object has', 'record', { object: 'constructor', id: 'x' }, good, 404, 'PROTOCOL_NOT_FOUND'],
    ['an id without end', 'record', { object: 'account', id: 'x'.repeat(1_000) }, good, 400, 'PROTOCOL_MALFORMED'],
    ['an endpoint that every JavaScript object has', 'constructor', {}, good, 404, 'PROTOCOL_NOT_FOUND'],
    ['nobody signed in', 'feed', {}, { ...good, authorization: '' }, 401, 'AUTH_REQUIRED'],
  ];
  test.each(cases)('%s is refused', async (_name, path, query, headers, status, code) => {
    const { server } = createWorld();
    const answer = await server.handle({ method: 'GET', path: `/${path}`, query, headers, body: async () => new Uint8Array() });
    expect(readFault(answer)).toMatchObject({ status, code, type: CONTENT_TYPE });
  });

  test('a base path keeps other paths out', async () => {
    const { server } = createWorld({ basePath: '/api/sync/' });
    const status = async (path: string) => (await server.handle({ method: 'GET', path, query: {}, headers: good, body: async () => new Uint8Array() })).status;
    expect([await status('/api/sync/hello'), await status('/hello'), await status('/other/sync/hello')]).toEqual([200, 404, 404]);
  });

  test('an authenticate that throws, or returns no name, signs nobody in; AUTH_REFUSED is 403', async () => {
    const { SyncFault } = await import('../../src/schema.ts');
    const answers: readonly (readonly [() => never, number])[] = [
      [() => { throw new Error('the token database is down: password=secret'); }, 401],
      [() => { throw new SyncFault('AUTH_REFUSED', 'this device was revoked'); }, 403],
      [() => ({ user: '' }) as never, 401],
      [() => ({ user: 7 }) as never, 401],
      [() => undefined as never, 401],
    ];
    for (const [authenticate, status] of answers) {
      const { device } = createWorld({ authenticate });
      const fault = readFault(await device('ann').get('hello'));
      expect(fault.status).toBe(status);
      expect(fault.message).not.toContain('secret');
    }
  });
});

describe('devices of another schema', () => {
  const world = () => createWorld();
  const deviceOf = (fields: Parameters<typeof defineSchema>[0]['objects'][string]['fields'], object = 'account') => {
    const { server } = world();
    return { server, device: createDevice(server, 'ann', 'ann-other', defineSchema({ version: 9, objects: { [object]: { fields } } })) };
  };

  test('A26: an object or a field that the server does not have, and a type that differs, refuse that entry alone', async () => {
    const unknownObject = deviceOf({ name: text() }, 'visit').device;
    expect(await unknownObject.save(1, { create: 'visit', id: 'v1', values: { name: 'x' } })).toMatchObject({ class: 'metadata', onlineImage: null });
    const { device } = deviceOf({ name: text(), nickname: text() });
    const { results } = await device.upload(
      { number: 1, changes: [{ create: 'account', id: 'a1', values: { name: 'x', nickname: 'y' } }] },
      { number: 2, changes: [{ create: 'account', id: 'a2', values: { name: 'x' } }] },
      { number: 3, changes: [{ update: 'account', id: 'a2', from: {}, to: { nickname: 'y' } }] },
      { number: 4, changes: [{ update: 'account', id: 'a2', from: { name: 'x' }, to: { name: 'z' } }] },
      { number: 5, changes: [{ remove: 'account', id: 'a2', was: { name: 'z', nickname: 'y' } }] },
    );
    expect(results.map(({ outcome, class: refusalClass }) => refusalClass ?? outcome)).toEqual(['metadata', 'saved', 'metadata', 'saved', 'saved']);
    expect(results[0]).toMatchObject({ refusal: { fields: ['nickname'] } });
    const typed = deviceOf({ name: json(), city: decimal() }).device;
    expect(await typed.save(1, { create: 'account', id: 'a1', values: { name: 'x' } })).toMatchObject({ class: 'metadata', refusal: { fields: ['name'] } });
  });

  test('fields go by name, not by their place', async () => {
    const { device } = deviceOf({ city: text(), name: text() });
    await device.save(1, { create: 'account', id: 'a1', values: { name: 'x', city: 'Ghent' } });
    const saved = await device.save(2, { update: 'account', id: 'a1', from: { city: 'Ghent', name: 'x' }, to: { city: 'Bruges', name: 'y' } });
    expect(saved.committedImages).toMatchObject([{ values: { name: 'y', city: 'Bruges' } }]);
    expect(await device.save(3, { remove: 'account', id: 'a1', was: { city: 'Bruges', name: 'x' } })).toMatchObject({ class: 'delete-vs-edit', refusal: { fields: ['name'] } });
  });

  test('a transaction of too many records or bytes is refused as too large', async () => {
    const { device } = createWorld({ limits: { members: 2, entryBytes: 500 } });
    const note = (id: string, notes = ''): TestChange => ({ create: 'order', id, values: { notes } });
    expect(await device('ann').save(1, note('o1'), note('o2'), note('o3'))).toMatchObject({ class: 'too-large' });
    expect(await device('ann').save(2, note('o1', 'x'.repeat(600)))).toMatchObject({ class: 'too-large' });
    expect((await device('ann').save(3, note('o1'), note('o2'))).outcome).toBe('saved');
  });

});
