import { expect, test } from 'vitest';
import { decodeEnvelope } from '../../src/protocol/envelope.ts';
import type { Change } from '../../src/protocol/items.ts';
import { HEADERS, PATHS, type UploadRequest, type VoidRequest, type WireEntry, type WireHeader, type WireRecord } from '../../src/protocol/messages.ts';
import { parseRecordAnswer } from '../../src/protocol/parse.ts';
import type { SyncResponse } from '../../src/server/sync-request.ts';
import { create, entry, header, remove, update } from '../spec/group-schema.ts';
import { describeOnBothStores } from './both-stores.ts';
import { readImages } from './harness.ts';
import { createFarTenant, createIsolationWorld, named, type FarTenant, type IsolationWorld, type ReadNames, type Values, type Whose } from './isolation-world.ts';

type Endpoint = (typeof PATHS)[keyof typeof PATHS];

/** One identifier of one endpoint. */
interface Row {
  readonly endpoint: Endpoint;
  /** The header, the query parameter, or the field of the message that it stands in; what comes after a colon tells uses of it apart. */
  readonly identifier: string;
  readonly values: Values | ((world: IsolationWorld) => Promise<Values>);
  readonly ask: (world: IsolationWorld, value: string) => Promise<SyncResponse>;
  /**
   * Set where a user of the same tenant is told that an identifier is taken, since the answer could be no other: what the answer may be. To
   * another tenant, everything is as if it never existed.
   */
  readonly taken?: (answer: ReturnType<typeof plain>) => void;
}

const feed = { store: 'store', attempt: 'attempt' } as const;
const GETS = [PATHS.hello, PATHS.feed, PATHS.snapshot, PATHS.record, PATHS.hints] as const;
const isPost = (endpoint: Endpoint): boolean => endpoint === PATHS.upload || endpoint === PATHS.void;
const queryOf = (endpoint: Endpoint): Readonly<Record<string, string>> => (endpoint === PATHS.record ? { object: 'order', id: 'order-bob' } : {});
const pin = (to: string) => create('pin', 'pin-1', { to, label: 'x' });

/** What a user of the tenant is told of a store, or a record, that is not his to use: that it cannot be used. */
const isStoreTaken = (answer: ReturnType<typeof plain>): void => expect(answer).toMatchObject({ status: 403, message: { error: { code: 'AUTH_REFUSED', message: 'this store cannot be used here' } } });
const refusedAs = (refusalClass: string) => (answer: ReturnType<typeof plain>) => {
  expect(answer).toMatchObject({ status: 200, message: { results: [{ outcome: 'refused', refusal: { class: refusalClass, fields: [], online: null }, current: [] }], layouts: [] } });
};
const isHiddenImage = ({ status, message }: ReturnType<typeof plain>): void => {
  const answer = parseRecordAnswer(message);
  expect({ status, groups: answer.groups, images: readImages(answer) }).toEqual({ status: 200, groups: [], images: [{ object: 'order', id: 'order-ann', version: [1, 1], state: 'hidden', values: null }] });
};

const ROWS: readonly Row[] = [
  ...GETS.flatMap((endpoint): Row[] => [
    { endpoint, identifier: HEADERS.store, values: named(feed.store), ask: ({ get }, store) => get(endpoint, queryOf(endpoint), { [HEADERS.store]: store }), taken: isStoreTaken },
    { endpoint, identifier: HEADERS.attempt, values: named(feed.attempt), ask: ({ get }, attempt) => get(endpoint, queryOf(endpoint), { [HEADERS.attempt]: attempt }) },
  ]),

  { endpoint: PATHS.feed, identifier: 'cursor', values: ({ names }) => names('cursor'), ask: ({ get }, cursor) => get('feed', { cursor }) },
  { endpoint: PATHS.feed, identifier: 'cursor: in small pages', values: ({ names }) => names('cursor'), ask: ({ get }, cursor) => get('feed', { cursor, limit: '2' }) },
  { endpoint: PATHS.feed, identifier: 'revision', values: ({ names }) => names('revision'), ask: ({ get }, revision) => get('feed', { limit: '2', revision, object: 'line', id: 'line-1' }) },
  { endpoint: PATHS.feed, identifier: 'revision: with its own key', values: ({ names }) => names('revision'), ask: ({ get }, revision) => get('feed', { limit: '2', revision, object: 'line', id: 'line-ann' }) },
  { endpoint: PATHS.feed, identifier: 'id', values: named('line'), ask: async ({ get, bob }, id) => get('feed', { limit: '2', revision: (await bob().poll(null, 2))!.part!.revision, object: 'line', id }) },
  { endpoint: PATHS.feed, identifier: 'id: with the revision of another', values: named('line'), ask: async ({ get, names }, id) => get('feed', { limit: '2', revision: (await names('revision')).user, object: 'line', id }) },

  { endpoint: PATHS.snapshot, identifier: 'id', values: named('line'), ask: ({ get }, id) => get('snapshot', { object: 'line', id }) },
  { endpoint: PATHS.snapshot, identifier: 'id: with small pages', values: named('call'), ask: ({ get }, id) => get('snapshot', { object: 'call', id, limit: '1' }) },

  // The record's own id at birth, which the asker has: a device that still holds the record is to let go of it (rule A30).
  { endpoint: PATHS.record, identifier: 'id', values: named('order'), ask: ({ get }, id) => get('record', { object: 'order', id }), taken: isHiddenImage },
  { endpoint: PATHS.record, identifier: 'id: a Record ID', values: ({ names }) => names('recordId'), ask: ({ get }, id) => get('record', { object: 'call', id }) },
  { endpoint: PATHS.record, identifier: 'id: of another object', values: named('order'), ask: ({ get }, id) => get('record', { object: 'call', id }) },

  { endpoint: PATHS.upload, identifier: 'store', values: named('store'), ask: ({ upload }, store) => upload([entry(1, [], create('task', 't1', { title: 'x' }))], { store }), taken: isStoreTaken },
  { endpoint: PATHS.upload, identifier: 'attempt', values: named('attempt'), ask: ({ upload }, attempt) => upload([entry(9, [], create('task', 't1', { title: 'x' }))], { attempt }) },
  { endpoint: PATHS.upload, identifier: 'schema', values: named('schema'), ask: ({ upload }, schema) => upload([entry(9, [], create('task', 't1', { title: 'x' }))], { schema }) },
  ...['71', '73', '75', '76'].map((number): Row => ({
    endpoint: PATHS.upload,
    identifier: `number: ${number}`,
    values: { user: number, tenant: number, never: '88' },
    ask: ({ upload }, value) => upload([entry(Number(value), [], create('task', 't1', { title: 'x' }))]),
  })),
  // An id that is taken cannot be given away again, and what may not be changed is not answered as done: neither says anything else.
  { endpoint: PATHS.upload, identifier: 'items.id: created', values: named('order'), ask: ({ upload }, id) => upload([entry(9, [header('order', id, 0)], create('order', id, {}))]), taken: refusedAs('duplicate-key') },
  { endpoint: PATHS.upload, identifier: 'items.id: edited', values: named('order'), ask: ({ upload }, id) => upload([entry(9, [header('order', id, 1)], update('order', id, {}, { notes: 'x' }))]), taken: refusedAs('permission') },
  { endpoint: PATHS.upload, identifier: 'items.id: a submitted one', values: named('call'), ask: ({ upload }, id) => upload([entry(9, [header('call', id, 1)], update('call', id, {}, { notes: 'x' }))]), taken: refusedAs('permission') },
  { endpoint: PATHS.upload, identifier: 'items.id: below a submitted one', values: named('sample'), ask: ({ upload }, id) => upload([entry(9, [header('call', 'call-ann', 1)], update('callSample', id, {}, { quantity: 2 }))]), taken: refusedAs('permission') },
  { endpoint: PATHS.upload, identifier: 'items.id: deleted', values: named('line'), ask: ({ upload }, id) => upload([entry(9, [], remove('line', id, { product: 'x' }))]), taken: refusedAs('permission') },
  { endpoint: PATHS.upload, identifier: 'items.next: a parent', values: named('order'), ask: ({ upload }, order) => upload([entry(9, [header('order', order, 1)], create('line', 'line-9', { order, quantity: 1 }))]) },
  { endpoint: PATHS.upload, identifier: 'items.next: a submitted parent', values: named('call'), ask: ({ upload }, call) => upload([entry(9, [header('call', call, 1)], create('callSample', 'sample-9', { call, quantity: 1 }))]) },
  { endpoint: PATHS.upload, identifier: 'items.next: moved to a parent', values: named('order'), ask: ({ upload }, order) => upload([entry(9, [header('order', 'order-bob', 1), header('order', order, 1)], update('line', 'line-1', { order: 'order-bob' }, { order }))]) },
  { endpoint: PATHS.upload, identifier: 'items.next: a reference', values: named('order'), ask: ({ upload }, to) => upload([entry(9, [], pin(to))]) },
  { endpoint: PATHS.upload, identifier: 'items.previous: a reference', values: named('order'), ask: ({ upload }, order) => upload([entry(9, [header('order', 'order-bob', 1)], update('line', 'line-1', { order }, { order: null }))]) },
  { endpoint: PATHS.upload, identifier: 'headers.id', values: named('order'), ask: ({ upload }, id) => upload([entry(9, [header('order', id, 1)], update('line', 'line-1', { quantity: 1 }, { quantity: 2 }))]) },
  { endpoint: PATHS.upload, identifier: 'headers.id: of a refused entry', values: named('order'), ask: ({ upload }, id) => upload([entry(9, [header('order', id, 1)], update('line', 'line-1', { quantity: 1 }, { quantity: -1 }))]) },
  { endpoint: PATHS.upload, identifier: 'headers.id: a submitted one', values: named('call'), ask: ({ upload }, id) => upload([entry(9, [header('call', id, 1)], update('line', 'line-1', { quantity: 1 }, { quantity: 2 }))]) },
  { endpoint: PATHS.upload, identifier: 'duplicateOf.id', values: named('call'), ask: ({ upload }, id) => upload([{ ...entry(9, [header('call', 'call-9', 0)], create('call', 'call-9', { name: 'x' })), duplicateOf: { object: 'call', id } }]) },

  { endpoint: PATHS.void, identifier: 'store', values: named('store'), ask: ({ void: give }, store) => give({ store, numbers: [71] }), taken: isStoreTaken },
  { endpoint: PATHS.void, identifier: 'attempt', values: named('attempt'), ask: ({ void: give }, attempt) => give({ attempt, numbers: [9] }) },
  ...['71', '73', '75', '76'].map((number): Row => ({
    endpoint: PATHS.void,
    identifier: `numbers: ${number}`,
    values: { user: number, tenant: number, never: '88' },
    ask: ({ void: give }, value) => give({ numbers: [Number(value)] }),
  })),
];

/** Which part of a message names something: the identifier of its rows, or `null` for what names nothing. Every field must be here. */
const UPLOAD_FIELDS: Readonly<Record<keyof UploadRequest, string | null>> = { protocol: null, store: 'store', attempt: 'attempt', schema: 'schema', layouts: null, entries: null, items: null };
const ENTRY_FIELDS: Readonly<Record<keyof WireEntry, string | null>> = { number: 'number', savedAt: null, members: null, headers: null, duplicateOf: null };
const HEADER_FIELDS: Readonly<Record<keyof WireHeader, string | null>> = { object: null, id: 'headers.id', epoch: null, n: null };
const RECORD_FIELDS: Readonly<Record<keyof WireRecord, string | null>> = { object: null, id: 'duplicateOf.id' };
const CHANGE_FIELDS: Readonly<Record<keyof Change, string | null>> = { layout: null, id: 'items.id', op: null, base: null, mask: null, previous: 'items.previous', next: 'items.next' };
const VOID_FIELDS: Readonly<Record<keyof VoidRequest, string | null>> = { protocol: null, store: 'store', attempt: 'attempt', numbers: 'numbers' };

/** What requests without body have that names nothing. */
const NO_IDENTIFIERS: ReadonlySet<string> = new Set(['authorization', 'content-type', HEADERS.protocol, HEADERS.pending, 'limit', 'object']);

const identifiersOf = (endpoint: Endpoint): Set<string> => new Set(ROWS.filter((row) => row.endpoint === endpoint).map(({ identifier }) => identifier.split(':', 1)[0]!));

/** Takes what an answer goes on to say. */
function listen({ stream }: SyncResponse) {
  let heard = '';
  stream?.({ write: (chunk) => (heard += Buffer.from(chunk).toString('latin1')), end: () => (heard += 'end') });
  return { heard: (): string => heard };
}

/** An answer without what the asker said himself, as bytes and as values. */
function plain(response: SyncResponse, given: string) {
  const { status, headers, body } = response;
  const message: unknown = body === null ? null : decodeEnvelope(body);
  const bytes = body === null ? listen(response).heard() : Buffer.from(body).toString('latin1');
  const digits = /^\d+$/.test(given);
  // A number is one byte of msgpack here, and stands for itself in the results.
  const said = digits ? String.fromCharCode(Number(given)) : given;
  return { status, headers: JSON.stringify(headers).replaceAll(given, '¤'), bytes: bytes.replaceAll(said, '¤'), message };
}

describeOnBothStores('what an answer says of identifiers of others', (newWorld) => {
  const read: ReadNames = new Map();
  let far: Promise<FarTenant> | undefined;
  let forReads: Promise<IsolationWorld> | undefined;
  const newIsolated = async (): Promise<IsolationWorld> => createIsolationWorld(newWorld, await (far ??= createFarTenant(newWorld)), read);
  /** What only reads need not have a world of its own. */
  const worldFor = (endpoint: Endpoint): Promise<IsolationWorld> => (isPost(endpoint) ? newIsolated() : (forReads ??= newIsolated()));

  test.each(ROWS.map((row) => [row.endpoint, row.identifier, row] as const))('%s, %s: nothing; it is as if they had never existed', async (_endpoint, _identifier, row) => {
    const answers = new Map<Whose, ReturnType<typeof plain>>();
    for (const whose of ['never', 'tenant', 'user'] as const) {
      const world = await worldFor(row.endpoint);
      const value = (typeof row.values === 'function' ? await row.values(world) : row.values)[whose];
      const answer = plain(await row.ask(world, value), value);
      const told = answer.headers + answer.bytes + JSON.stringify(answer.message).replaceAll(value, '¤');
      expect(told, whose).not.toMatch(/private|-ann\b|-far\b/);
      answers.set(whose, answer);
    }
    const [never, tenant, user] = (['never', 'tenant', 'user'] as const).map((whose) => ({ ...answers.get(whose)!, message: null }));
    expect(tenant).toEqual(never);
    if (row.taken === undefined) expect(user).toEqual(never);
    else row.taken(answers.get('user')!);
  });

  test('hints: none comes of what another user saves, or the same user in another tenant', async () => {
    const world = await newIsolated();
    const { heard } = listen(await world.get(PATHS.hints));
    const atFirst = heard();
    await world.wait();
    await world.saveMore();
    await (await far!).saveMore();
    await world.wait();
    expect(heard()).toBe(atFirst);
    await world.upload([entry(9, [], create('task', 't1', { title: 'x' }))]);
    expect(heard()).not.toBe(atFirst);
  });

  test('every endpoint, and everything in a request that names something, is held against them', async () => {
    const world = await newIsolated();
    const isThere = ({ body }: SyncResponse): boolean => !Buffer.from(body ?? []).toString('latin1').includes('no such endpoint');
    for (const endpoint of Object.values(PATHS)) {
      const isServed = isThere(await world.get(endpoint)) || isThere(await world.post(endpoint));
      expect(identifiersOf(endpoint).size > 0, `rows for ${endpoint}`).toBe(isServed);
      if (!isServed) continue;
      const asked = [...(read.get(endpoint) ?? [])].filter((name) => !NO_IDENTIFIERS.has(name)).sort();
      const inBody = endpoint === PATHS.void ? [VOID_FIELDS] : [UPLOAD_FIELDS, ENTRY_FIELDS, HEADER_FIELDS, RECORD_FIELDS, CHANGE_FIELDS];
      const names = isPost(endpoint) ? inBody.flatMap((fields) => Object.values(fields)).filter((name) => name !== null) : asked;
      expect([...identifiersOf(endpoint)].sort(), endpoint).toEqual([...new Set(names)].sort());
    }
  });
});
