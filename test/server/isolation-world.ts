import { encodeEnvelope } from '../../src/protocol/envelope.ts';
import { CONTENT_TYPE, formatCursor, HEADERS } from '../../src/protocol/messages.ts';
import { defineSchema, reference, text } from '../../src/schema.ts';
import type { HintBus } from '../../src/server/hint-bus.ts';
import { memoryHintBus } from '../../src/server/hints/memory-hint-bus.ts';
import type { ServerStore } from '../../src/server/store/server-store.ts';
import type { SyncRequest, SyncResponse } from '../../src/server/sync-request.ts';
import { create, entry, groupSchema, header, update } from '../spec/group-schema.ts';
import type { NewWorld } from './both-stores.ts';
import type { TestDevice, TestEntry } from './harness.ts';

/** Whose an identifier is: another user's of the same tenant, another tenant's, or nobody's, ever. */
export type Whose = 'user' | 'tenant' | 'never';
export type Values = Readonly<Record<Whose, string>>;

/** What ann and the other tenant have must not reach bob: every value has one of these words in it. */
const PRIVATE = { user: 'private-of-ann', tenant: 'private-of-far' } as const;

/** The same name, as long, of each owner. */
export const named = (name: string): Values => ({ user: `${name}-ann`, tenant: `${name}-far`, never: `${name}-non` });

const schema = defineSchema({
  version: 1,
  objects: { ...groupSchema.objects, pin: { fields: { to: reference('order'), label: text() } } },
});

/** A tenant in which ann has something of every kind that bob may not see, and another that has the same; bob has something too. */
export interface IsolationWorld {
  /** Bob's device, or one of another name. */
  bob(store?: string): TestDevice;
  /** A `GET` of bob's; what the server reads of it is noted. */
  get(path: string, query?: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>): Promise<SyncResponse>;
  /** An upload of bob's. */
  upload(entries: readonly TestEntry[], extra?: Readonly<Record<string, unknown>>): Promise<SyncResponse>;
  /** A request of bob's to give numbers up. */
  void(message: Readonly<Record<string, unknown>>): Promise<SyncResponse>;
  /** A `POST` of bob's with nothing in it. */
  post(path: string): Promise<SyncResponse>;
  /** Ann saves something more. */
  saveMore(): Promise<void>;
  /** Lets a second pass, and with it what holds hints back. */
  wait(): Promise<void>;
  /** What servers made up: of ann, of the other tenant, and of nobody. */
  names(kind: keyof TenantNames): Promise<Values>;
}

/** Notes the query parameters and headers that a server reads, by endpoint. */
export type ReadNames = Map<string, Set<string>>;

/** Another tenant of the same store. */
export interface FarTenant {
  readonly store: ServerStore;
  /** What all servers publish to. */
  readonly hints: HintBus;
  readonly tenant: string;
  readonly names: TenantNames;
  /** Saves something more. */
  saveMore(): Promise<void>;
}

/** What a server made up in a tenant. */
export interface TenantNames {
  readonly cursor: string;
  readonly revision: string;
  readonly recordId: string;
}

/** Nobody's request changes it, so that one is enough. In it the same user has the same device: what keeps the two apart is the tenant alone. */
export async function createFarTenant(newWorld: NewWorld): Promise<FarTenant> {
  const hints = memoryHintBus();
  const { store, scope, device } = newWorld({ schema, hints });
  await device('bob', 'store-far').hello();
  const bob = device('bob', 'bob-tablet');
  await saveOfEachKind(bob, PRIVATE.tenant, 'far');
  let number = 100;
  const saveMore = async (): Promise<void> => void (await bob.saveEntry(entry(++number, [], create('task', `task-${number}`, { title: PRIVATE.tenant }))));
  return { store, hints, tenant: scope.tenant ?? 'default', names: await namesOf(bob, 'far'), saveMore };
}

async function namesOf(device: TestDevice, suffix: string): Promise<TenantNames> {
  const { next, part } = (await device.poll(null, 2))!;
  const { images } = await device.record('call', `call-${suffix}`);
  return { cursor: formatCursor({ ...next, position: 1 }), revision: part!.revision, recordId: images[0]!.values!.serverId as string };
}

let worlds = 0;

export async function createIsolationWorld(newWorld: NewWorld, far: FarTenant, read: ReadNames): Promise<IsolationWorld> {
  const tenant = `own-${++worlds}`;
  const { server, clock, device } = newWorld({
    schema,
    store: far.store,
    hints: far.hints,
    tenant,
    strictReferences: true,
    canSee: (reader, { values }) => (reader.user === 'ann' && reader.tenant === tenant) || !Object.values(values).includes(PRIVATE.user),
  });
  const ann = device('ann', 'store-ann');
  await saveOfEachKind(ann, PRIVATE.user, 'ann');
  const own = device('bob', 'bob-tablet');
  await own.saveEntry(entry(1, [header('order', 'order-bob', 0)], create('order', 'order-bob', {}), ...['line-1', 'line-2', 'line-3'].map((id) => create('line', id, { order: 'order-bob', quantity: 1 }))));

  const note = (path: string, name: string): void => void read.set(path, (read.get(path) ?? new Set()).add(name));
  const watched = (path: string, names: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
    new Proxy(names, { get: (target, name) => (note(path, String(name)), Reflect.get(target, name) as string) });
  const handle = (path: string, request: Omit<SyncRequest, 'path'>): Promise<SyncResponse> =>
    server.handle({ ...request, path: `/sync/${path}`, query: watched(path, request.query), headers: watched(path, request.headers) });
  const authorization = `${tenant}/bob`;
  const post = (path: string, body: Uint8Array): Promise<SyncResponse> =>
    handle(path, { method: 'POST', query: {}, headers: { authorization, 'content-type': CONTENT_TYPE }, body: async () => body });

  return {
    bob: (store = 'bob-tablet') => device('bob', store),
    get: (path, query = {}, headers = {}) =>
      handle(path, { method: 'GET', query, headers: { authorization, [HEADERS.protocol]: '1', [HEADERS.store]: 'bob-tablet', [HEADERS.attempt]: 'attempt', ...headers }, body: async () => new Uint8Array() }),
    upload: (entries, extra = {}) => post('upload', own.encodeUpload(entries, { attempt: 'attempt', ...extra })),
    void: (message) => post('void', encodeEnvelope({ protocol: 1, store: 'bob-tablet', attempt: 'attempt', ...message })),
    post: (path) => post(path, new Uint8Array()),
    saveMore: async () => void (await ann.saveEntry(entry(77, [], create('task', 'task-more', { title: PRIVATE.user })))),
    wait: () => clock.advance(1_000),
    async names(kind) {
      const user = (await namesOf(ann, 'ann'))[kind];
      // Likewise of nobody: another digit in place of the first, or of a Record ID, which begins with the time, of the last.
      const never = user.replace(kind === 'recordId' ? /[0-9a-f]$/ : /[0-9a-f]/, (digit) => (digit === '0' ? '1' : '0'));
      return { user, tenant: far.names[kind], never };
    },
  };
}

/** Something of each kind, all of it marked: a save larger than a page, submitted groups, a refusal, numbers that are given up. */
async function saveOfEachKind(device: TestDevice, mark: string, suffix: string): Promise<void> {
  const order = `order-${suffix}`, call = `call-${suffix}`, line = `line-${suffix}`, sample = `sample-${suffix}`;
  await device.saveEntry(entry(71, [header('order', order, 0)], create('order', order, { notes: mark }), create('line', line, { order, product: mark, quantity: 1 }), create('line', `${line}-2`, { order, product: mark, quantity: 2 })));
  await device.saveEntry(entry(72, [header('call', call, 0)], create('call', call, { name: mark }), create('callSample', sample, { call, product: mark, quantity: 1 })));
  await device.saveEntry(entry(73, [header('call', call, 1)], update('call', call, { status: null }, { status: 'submitted' })));
  await device.saveEntry(entry(74, [], create('task', `task-${suffix}`, { state: 'done', title: mark })));
  await device.saveEntry(entry(75, [header('call', call, 1)], update('callSample', sample, { product: 'x' }, { product: mark, quantity: 9 })));
  await device.void(76);
}
