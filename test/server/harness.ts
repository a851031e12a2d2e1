import { createTwinCore } from '../../src/core/twin.ts';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { encodeChanges, type Change } from '../../src/protocol/items.ts';
import { createLayout, layoutsOf, type Layout } from '../../src/protocol/layout.ts';
import { CONTENT_TYPE, formatCursor, HEADERS, type EntryResult, type FeedAnswer, type FeedCursor, type SnapshotKey, type WireEntry } from '../../src/protocol/messages.ts';
import { parseFaultAnswer, parseFeedAnswer, parseHelloAnswer, parseRecordAnswer, parseSnapshotAnswer, parseUploadAnswer } from '../../src/protocol/parse.ts';
import { parseLayouts, wireLayout } from '../../src/protocol/wire-layout.ts';
import { createMask, decodeRow, encodeRow, encodeValue, joinRow, setInMask } from '../../src/protocol/row.ts';
import type { FieldType } from '../../src/protocol/field.ts';
import type { RecordVersion } from '../../src/protocol/version.ts';
import { autoNumber, created, date, decimal, defineSchema, integer, json, lastModified, multiPicklist, parent, picklist, recordId, reference, serverOwned, text, type Schema } from '../../src/schema.ts';
import { createSyncServer, type HttpServerOptions, type SyncServer } from '../../src/server/index.ts';
import { memory, type MemoryServerStore } from '../../src/server/store/memory.ts';
import type { ServerStore } from '../../src/server/store/server-store.ts';
import type { SyncResponse } from '../../src/server/sync-request.ts';
import type { Clock } from '../../src/shared/clock.ts';
import type { Random } from '../../src/shared/random.ts';

export const schema = defineSchema({
  version: 1,
  objects: {
    account: {
      fields: {
        name: text({ required: true, max: 20 }),
        city: text(),
        tier: picklist('A', 'B', 'C'),
        tags: multiPicklist('x', 'y', 'z'),
        staff: integer({ min: 0, max: 100 }),
        founded: date(),
        extra: json(),
        serverId: recordId(),
        number: autoNumber({ prefix: 'A-' }),
        createdAt: created(),
        modifiedAt: lastModified(),
        label: serverOwned(text()),
      },
    },
    order: {
      mode: 'override',
      fields: { account: reference('account'), status: picklist('open', 'submitted'), total: serverOwned(decimal()), notes: text() },
    },
    line: { fields: { order: parent('order', { group: true }), product: text(), quantity: integer({ min: 1 }), price: decimal() } },
    note: { fields: { account: parent('account'), body: text() } },
  },
});

/** A clock that stands still until it is moved. */
export interface FakeClock extends Clock {
  advance(ms: number): Promise<void>;
}

export function createFakeClock(start = Date.UTC(2026, 0, 1)): FakeClock {
  let now = start;
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  return {
    now: () => now,
    monotonic: () => now - start,
    setTimer(delayMs, run) {
      const timer = { at: now + delayMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      now += ms;
      for (const timer of [...timers].filter(({ at }) => at <= now)) {
        timers.delete(timer);
        timer.run();
      }
      await settle();
    },
  };
}

/** Lets everything that is ready run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
}

export function createSeededRandom(seed = 1): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return { next, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) };
}

export type Values = Readonly<Record<string, unknown>>;

/** A change as tests write it. */
export type TestChange =
  | { readonly create: string; readonly id: string; readonly values: Values }
  | { readonly update: string; readonly id: string; readonly from: Values; readonly to: Values }
  | { readonly remove: string; readonly id: string; readonly was?: Values };

export interface TestEntry {
  readonly headers?: WireEntry['headers'];
  readonly duplicateOf?: WireEntry['duplicateOf'];
  readonly number: number;
  readonly savedAt?: number;
  readonly changes: readonly TestChange[];
}

/** An image as tests read it. */
export interface TestImage {
  readonly object: string;
  readonly id: string;
  readonly version: RecordVersion;
  readonly state: string;
  readonly values: Values | null;
}

export interface TestWorldOptions<S extends Schema = typeof schema> extends Partial<HttpServerOptions<S>> {
  readonly store?: ServerStore;
  /** The tenant of devices that name none. */
  readonly tenant?: string;
}

/** A server, a clock, and devices of any user. `Authorization: user` or `tenant/user` signs in. */
export function createWorld<S extends Schema = typeof schema>({ tenant: ownTenant, ...options }: TestWorldOptions<S> = {}) {
  const worldSchema: Schema = options.schema ?? schema;
  const clock = createFakeClock();
  const store = options.store ?? memory();
  const server: SyncServer = createSyncServer<S>({
    schema: worldSchema as S,
    clock,
    pollSharingMs: 0,
    random: createSeededRandom(),
    authenticate({ headers }) {
      const [user, tenant] = (headers.authorization ?? '').split('/').reverse();
      return user ? { user, ...((tenant ?? ownTenant) ? { tenant: tenant ?? ownTenant! } : {}) } : null;
    },
    ...options,
    store,
  });
  const scope = ownTenant === undefined ? {} : { tenant: ownTenant };
  return { clock, store: store as MemoryServerStore, server, scope, device: (user: string, name = `${user}-tablet`) => createDevice(server, user, name, worldSchema) };
}

export type TestDevice = ReturnType<typeof createDevice>;

const core = createTwinCore();

export function createDevice(server: Pick<SyncServer, 'handle'>, user: string, store: string, deviceSchema: Schema = schema) {
  const layouts = [...layoutsOf(deviceSchema).values()];
  let attempts = 0;

  async function get(path: string, query: Readonly<Record<string, string>> = {}, more: Readonly<Record<string, string>> = {}): Promise<SyncResponse> {
    const headers = { ...more, authorization: user, [HEADERS.protocol]: '1', [HEADERS.store]: store, [HEADERS.attempt]: `a${++attempts}` };
    return server.handle({ method: 'GET', path: `/sync/${path}`, query, headers, body: async () => new Uint8Array() });
  }

  async function post(body: Uint8Array, headers: Readonly<Record<string, string>> = {}, path = 'upload'): Promise<SyncResponse> {
    const all = { authorization: user, 'content-type': CONTENT_TYPE, ...headers };
    return server.handle({ method: 'POST', path: `/sync/${path}`, query: {}, headers: all, body: async () => body });
  }

  function encodeUpload(entries: readonly TestEntry[], extra: Readonly<Record<string, unknown>> = {}): Uint8Array {
    return encodeEnvelope({
      protocol: 1,
      store,
      attempt: `a${++attempts}`,
      schema: deviceSchema.hash,
      layouts: layouts.map(wireLayout),
      entries: entries.map(({ number, savedAt = 0, changes, headers = [], duplicateOf = null }) => ({ number, savedAt, members: changes.length, headers, duplicateOf })),
      items: encodeChanges(entries.flatMap(({ changes }) => changes.map((change) => encodeChange(layouts, change)))),
      ...extra,
    });
  }

  return {
    store,
    get,
    post,
    encodeUpload,
    async upload(...entries: readonly TestEntry[]) {
      return readUpload(await post(encodeUpload(entries)));
    },
    /** Uploads one entry and returns its result with its images. */
    async save(number: number, ...changes: readonly TestChange[]) {
      const { results } = await readUpload(await post(encodeUpload([{ number, changes }])));
      return results[0]!;
    },
    /** Uploads one entry as it is, and returns its result with its images. */
    async saveEntry(entry: TestEntry) {
      const { results } = await readUpload(await post(encodeUpload([entry])));
      return results[0]!;
    },
    /** Gives upload numbers up, and returns their results with their images. */
    async void(...numbers: readonly number[]) {
      const body = encodeEnvelope({ protocol: 1, store, attempt: `a${++attempts}`, numbers });
      return (await readUpload(await post(body, {}, 'void'))).results;
    },
    async poll(cursor: FeedCursor | null, limit?: number, after: Readonly<Record<string, string>> = {}) {
      const response = await get('feed', { ...(cursor === null ? {} : { cursor: formatCursor(cursor) }), ...(limit === undefined ? {} : { limit: String(limit) }), ...after });
      return response.status === 204 ? null : readPage(response);
    },
    async snapshot(limit?: number) {
      const pages = [];
      let key: SnapshotKey | null = null;
      do {
        const response: SyncResponse = await get('snapshot', { ...key, ...(limit === undefined ? {} : { limit: String(limit) }) });
        const answer = parseSnapshotAnswer(readBody(response));
        pages.push({ ...answer, images: readImages(answer) });
        key = answer.next;
      } while (key !== null);
      return pages;
    },
    async record(object: string, id: string) {
      const answer = parseRecordAnswer(readBody(await get('record', { object, id })));
      return { ...answer, images: readImages(answer) };
    },
    hello: async () => parseHelloAnswer(readBody(await get('hello'))),
  };
}

export function readBody(response: SyncResponse): unknown {
  if (response.status !== 200) throw new Error(`status ${response.status}: ${JSON.stringify(response.body && decodeEnvelope(response.body))}`);
  return decodeEnvelope(response.body!);
}

export function readFault(response: SyncResponse) {
  return { status: response.status, type: response.headers['content-type'], ...parseFaultAnswer(decodeEnvelope(response.body!)).error };
}

function readUpload(response: SyncResponse) {
  const answer = parseUploadAnswer(readBody(response));
  const images = readImages(answer);
  return { ...answer, images, results: answer.results.map((result) => withImages(result, images)) };
}

function withImages(result: EntryResult, images: readonly TestImage[]) {
  const pick = (indices: readonly number[]): TestImage[] => indices.map((index) => images[index]!);
  return {
    ...result,
    committedImages: 'committed' in result ? pick(result.committed) : [],
    currentImages: 'current' in result ? pick(result.current) : [],
    onlineImage: 'refusal' in result && result.refusal.online !== null ? images[result.refusal.online]! : null,
    overwrittenImages: result.outcome === 'saved' ? pick(result.overwritten.map(({ was }) => was)) : [],
    class: 'refusal' in result ? result.refusal.class : null,
  };
}

function readPage(response: SyncResponse) {
  const answer: FeedAnswer = parseFeedAnswer(readBody(response));
  const images = readImages(answer);
  return { ...answer, images, saves: answer.transactions.map(({ position, store, number, items }) => ({ position, store, number, images: items.map((index) => images[index]!) })) };
}

export function readImages({ layouts: wire, items }: Pick<FeedAnswer, 'layouts' | 'items'>): TestImage[] {
  const layouts = parseLayouts(wire);
  const table = core.readImages(items, layouts);
  if (!table.ok) throw new Error(table.status);
  return Array.from({ length: table.count }, (_, index) => {
    const layout = layouts[table.layout(index)]!, row = table.row(index);
    return { object: layout.object, id: table.id(index), version: table.version(index), state: table.state(index), values: row === null ? null : decodeRow(layout, row) };
  });
}

export function encodeChange(layouts: readonly Layout[], change: TestChange): Change {
  if ('create' in change) {
    const layout = layouts.findIndex(({ object }) => object === change.create);
    return { layout, id: change.id, op: 'create', base: [0, 0], mask: null, previous: null, next: encodeRow(layouts[layout]!, change.values) };
  }
  if ('update' in change) {
    const layout = layouts.findIndex(({ object }) => object === change.update);
    const { mask, values } = encodeFields(layouts[layout]!, Object.keys(change.to));
    return { layout, id: change.id, op: 'update', base: [1, 1], mask, previous: values(change.from), next: values(change.to) };
  }
  const layout = layouts.findIndex(({ object }) => object === change.remove);
  const { mask, values } = encodeFields(layouts[layout]!, Object.keys(change.was ?? {}));
  return { layout, id: change.id, op: 'remove', base: [1, 1], mask, previous: values(change.was ?? {}), next: null };
}

function encodeFields(layout: Layout, names: readonly string[]) {
  const mask = createMask(layout);
  const positions = names.map((name) => layout.positions.get(name)!).sort((left, right) => left - right);
  for (const position of positions) setInMask(mask, position);
  const values = (from: Values): Uint8Array =>
    joinRow(positions.map((position) => encodeValue(layout.fields[position]!.type, from[layout.fields[position]!.name] ?? null, 'test')));
  return { mask, values };
}

export function layoutOf(object: string, fields: Readonly<Record<string, FieldType>>): Layout {
  return createLayout(object, Object.entries(fields).map(([name, type]) => ({ name, type })));
}
