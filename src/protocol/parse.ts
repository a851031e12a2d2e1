import { SyncFault } from '../shared/fault.ts';
import { FIELD_TYPE_CODES, type FieldType } from './field.ts';
import { createLayout, type Layout } from './layout.ts';
import {
  REFUSAL_CLASSES,
  type AnswerHead,
  type EntryResult,
  type FaultAnswer,
  type FeedAnswer,
  type FeedCursor,
  type FeedTransaction,
  type HelloAnswer,
  type ProtocolLimits,
  type RecordAnswer,
  type Refusal,
  type ServerStamp,
  type SnapshotAnswer,
  type SnapshotKey,
  type UploadAnswer,
  type UploadRequest,
  type WireEntry,
  type WireLayout,
} from './messages.ts';
import { OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from './version.ts';

const MAX_NAME = 255;
const MAX_MESSAGE = 4_000;
const MAX_LAYOUTS = 500;
const MAX_FIELDS = 500;
const MAX_COUNT = 5_000_000;

/** Turns an envelope from outside into an upload request. @throws {@link SyncFault} `PROTOCOL_MALFORMED` and the codes of each part. */
export function parseUploadRequest(envelope: unknown): UploadRequest {
  const map = readMap(envelope, 'upload');
  const protocol = readProtocol(map);
  return {
    protocol,
    store: readText(map, 'store'),
    attempt: readText(map, 'attempt'),
    schema: readText(map, 'schema'),
    layouts: readList(map, 'layouts', MAX_LAYOUTS, readWireLayout),
    entries: readList(map, 'entries', MAX_COUNT, readWireEntry),
    items: readBinary(map, 'items'),
  };
}

export function parseUploadAnswer(envelope: unknown): UploadAnswer {
  const map = readMap(envelope, 'upload answer');
  return { ...readAnswerHead(map), ...readItems(map), results: readList(map, 'results', MAX_COUNT, readEntryResult) };
}

export function parseFeedAnswer(envelope: unknown): FeedAnswer {
  const map = readMap(envelope, 'feed answer');
  return {
    ...readAnswerHead(map),
    ...readItems(map),
    from: readCursor(map.from),
    next: readCursor(map.next),
    more: readBoolean(map, 'more'),
    gap: readBoolean(map, 'gap'),
    transactions: readList(map, 'transactions', MAX_COUNT, readFeedTransaction),
  };
}

export function parseSnapshotAnswer(envelope: unknown): SnapshotAnswer {
  const map = readMap(envelope, 'snapshot answer');
  return { ...readAnswerHead(map), ...readItems(map), cursor: readCursor(map.cursor), next: map.next === null ? null : readSnapshotKey(map.next) };
}

export function parseRecordAnswer(envelope: unknown): RecordAnswer {
  const map = readMap(envelope, 'record answer');
  return { ...readAnswerHead(map), ...readItems(map) };
}

export function parseHelloAnswer(envelope: unknown): HelloAnswer {
  const map = readMap(envelope, 'hello answer');
  return {
    ...readAnswerHead(map),
    protocols: readList(map, 'protocols', 100, (value) => wholeNumber(value, 'protocols')),
    user: readText(map, 'user'),
    limits: readLimits(readMap(map.limits, 'limits')),
  };
}

export function parseFaultAnswer(envelope: unknown): FaultAnswer {
  const map = readMap(envelope, 'error');
  const error = readMap(map.error, 'error');
  const retryAfterMs = map.retryAfterMs;
  const fault = { protocol: readWhole(map, 'protocol'), error: { code: readText(error, 'code'), message: readText(error, 'message', MAX_MESSAGE) } };
  return retryAfterMs === undefined || retryAfterMs === null ? fault : { ...fault, retryAfterMs: wholeNumber(retryAfterMs, 'retryAfterMs') };
}

/** Builds the layouts of a message, by index. @throws {@link SyncFault} `PROTOCOL_MALFORMED` */
export function parseLayouts(wire: readonly WireLayout[]): Layout[] {
  return wire.map(([object, fields]) => {
    const named = fields.map(([name, code]) => ({ name, type: FIELD_TYPES_BY_CODE[code] ?? malformed(`type code ${code} of ${object}.${name} is unknown`) }));
    if (new Set(named.map(({ name }) => name)).size !== named.length) malformed(`layout ${object} names a field twice`);
    return createLayout(object, named);
  });
}

/** Writes a layout for a message. */
export function wireLayout(layout: Layout): WireLayout {
  return [layout.object, layout.fields.map(({ name, type }) => [name, FIELD_TYPE_CODES[type]] as const)];
}

const FIELD_TYPES_BY_CODE: Readonly<Record<number, FieldType>> = Object.fromEntries(
  Object.entries(FIELD_TYPE_CODES).map(([type, code]) => [code, type as FieldType]),
);

type Envelope = Readonly<Record<string, unknown>>;

function readAnswerHead(map: Envelope): AnswerHead {
  return { protocol: readProtocol(map), store: readText(map, 'store'), attempt: readText(map, 'attempt'), server: readServerStamp(map.server) };
}

function readServerStamp(value: unknown): ServerStamp {
  const map = readMap(value, 'server');
  return {
    time: readWhole(map, 'time'),
    epoch: readWhole(map, 'epoch'),
    head: readWhole(map, 'head'),
    nextPollMs: map.nextPollMs === null ? null : readWhole(map, 'nextPollMs'),
    schema: readText(map, 'schema'),
  };
}

function readItems(map: Envelope): { readonly layouts: readonly WireLayout[]; readonly items: Uint8Array } {
  return { layouts: readList(map, 'layouts', MAX_LAYOUTS, readWireLayout), items: readBinary(map, 'items') };
}

function readWireLayout(value: unknown): WireLayout {
  const [object, fields] = readTuple(value, 2, 'layout');
  return [
    text(object, 'layout object'),
    list(fields, 'layout fields', MAX_FIELDS, (field) => {
      const [name, code] = readTuple(field, 2, 'layout field');
      return [text(name, 'field name'), wholeNumber(code, 'field type')] as const;
    }),
  ];
}

function readWireEntry(value: unknown): WireEntry {
  const map = readMap(value, 'entry');
  const entry = { number: readWhole(map, 'number'), savedAt: readWhole(map, 'savedAt'), members: readWhole(map, 'members') };
  if (entry.number < 1 || entry.members < 1) malformed('an entry needs a number and members from 1 up');
  return entry;
}

function readEntryResult(value: unknown): EntryResult {
  const map = readMap(value, 'result');
  const number = readWhole(map, 'number');
  switch (map.outcome) {
    case 'saved':
      return { number, outcome: 'saved', committed: readIndices(map, 'committed'), current: readIndices(map, 'current') };
    case 'refused':
      return { number, outcome: 'refused', refusal: readRefusal(map.refusal), current: readIndices(map, 'current') };
    case 'tryLater':
      return { number, outcome: 'tryLater', retryAfterMs: readWhole(map, 'retryAfterMs'), message: readText(map, 'message', MAX_MESSAGE) };
    case 'copied':
      return { number, outcome: 'copied' };
    default:
      return malformed('outcome is none of saved, refused, tryLater, copied');
  }
}

function readRefusal(value: unknown): Refusal {
  const map = readMap(value, 'refusal');
  const refusalClass = REFUSAL_CLASSES.find((name) => name === map.class) ?? malformed('refusal class is unknown');
  return {
    class: refusalClass,
    code: readText(map, 'code'),
    message: readText(map, 'message', MAX_MESSAGE),
    member: readWhole(map, 'member'),
    fields: readList(map, 'fields', MAX_FIELDS, (field) => text(field, 'fields')),
    online: map.online === null ? null : readWhole(map, 'online'),
  };
}

function readFeedTransaction(value: unknown): FeedTransaction {
  const map = readMap(value, 'transaction');
  return { position: readWhole(map, 'position'), store: readText(map, 'store'), number: readWhole(map, 'number'), items: readIndices(map, 'items') };
}

function readCursor(value: unknown): FeedCursor {
  const map = readMap(value, 'cursor');
  return { feed: readText(map, 'feed'), epoch: readWhole(map, 'epoch'), position: readWhole(map, 'position') };
}

function readSnapshotKey(value: unknown): SnapshotKey {
  const map = readMap(value, 'next');
  return { object: readText(map, 'object'), id: readText(map, 'id') };
}

function readLimits(map: Envelope): ProtocolLimits {
  return {
    bodyBytes: readWhole(map, 'bodyBytes'),
    entries: readWhole(map, 'entries'),
    members: readWhole(map, 'members'),
    entryBytes: readWhole(map, 'entryBytes'),
    pageItems: readWhole(map, 'pageItems'),
  };
}

function readIndices(map: Envelope, key: string): number[] {
  return readList(map, key, MAX_COUNT, (value) => wholeNumber(value, key));
}

function readProtocol(map: Envelope): number {
  const protocol = readWhole(map, 'protocol');
  if (protocol < OLDEST_PROTOCOL_VERSION || protocol > PROTOCOL_VERSION) {
    throw new SyncFault('PROTOCOL_VERSION_UNSUPPORTED', `protocol ${protocol} is not spoken here; ${OLDEST_PROTOCOL_VERSION} to ${PROTOCOL_VERSION} are`, {
      details: { protocol },
    });
  }
  return protocol;
}

function readMap(value: unknown, what: string): Envelope {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) return malformed(`${what} is not a map`);
  return value as Envelope;
}

function readTuple(value: unknown, length: number, what: string): readonly unknown[] {
  return Array.isArray(value) && value.length === length ? value : malformed(`${what} is not a list of ${length}`);
}

function readList<T>(map: Envelope, key: string, most: number, read: (value: unknown) => T): T[] {
  return list(map[key], key, most, read);
}

function list<T>(value: unknown, what: string, most: number, read: (value: unknown) => T): T[] {
  if (!Array.isArray(value) || value.length > most) return malformed(`${what} is not a list of at most ${most}`);
  return value.map(read);
}

function readText(map: Envelope, key: string, most: number = MAX_NAME): string {
  return text(map[key], key, most);
}

function text(value: unknown, what: string, most: number = MAX_NAME): string {
  return typeof value === 'string' && value.length <= most ? value : malformed(`${what} is not text of at most ${most}`);
}

function readWhole(map: Envelope, key: string): number {
  return wholeNumber(map[key], key);
}

function wholeNumber(value: unknown, what: string): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : malformed(`${what} is not a whole number from 0 up`);
}

function readBoolean(map: Envelope, key: string): boolean {
  const value = map[key];
  return typeof value === 'boolean' ? value : malformed(`${key} is not true or false`);
}

function readBinary(map: Envelope, key: string): Uint8Array {
  const value = map[key];
  if (!(value instanceof Uint8Array)) return malformed(`${key} is not binary`);
  // A Buffer's `slice` shares memory where a Uint8Array's copies.
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

function malformed(problem: string): never {
  throw new SyncFault('PROTOCOL_MALFORMED', `malformed message: ${problem}`);
}
