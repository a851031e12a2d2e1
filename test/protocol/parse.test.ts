import { describe, expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { createLayout } from '../../src/protocol/layout.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import {
  formatCursor,
  parseCursor,
  type FaultAnswer,
  type FeedAnswer,
  type HelloAnswer,
  type RecordAnswer,
  type SnapshotAnswer,
  type UploadAnswer,
  type UploadRequest,
} from '../../src/protocol/messages.ts';
import {
  parseFaultAnswer,
  parseFeedAnswer,
  parseHelloAnswer,
  parseRecordAnswer,
  parseSnapshotAnswer,
  parseUploadAnswer,
  parseUploadRequest,
} from '../../src/protocol/parse.ts';
import { parseLayouts, wireLayout } from '../../src/protocol/wire-layout.ts';

const HEAD = { protocol: 1, store: 'store-1', attempt: 'attempt-1', server: { time: 1_700_000_000_000, epoch: 1, head: 42, nextPollMs: 30_000, schema: 'abc' } };
const ITEMS = { layouts: [['account', [['name', 1], ['size', 3]]] as const], items: new Uint8Array([1, 2, 3]) };
const CURSOR = { feed: 'f', epoch: 1, position: 7 };
const REFUSAL = { class: 'conflict', code: 'conflict', message: 'someone was first', member: 0, fields: ['name'], online: 0 } as const;

const UPLOAD: UploadRequest = { protocol: 1, store: 's', attempt: 'a', schema: 'h', ...ITEMS, entries: [{ number: 1, savedAt: 5, members: 2, headers: [{ object: 'account', id: 'a1', epoch: 1, n: 4 }], duplicateOf: { object: 'account', id: 'a1' } }] };
const UPLOAD_ANSWER: UploadAnswer = {
  ...HEAD,
  ...ITEMS,
  results: [
    { number: 1, outcome: 'saved', committed: [0], current: [0, 1], overwritten: [{ member: 0, fields: ['name'], was: 1 }] },
    { number: 2, outcome: 'refused', refusal: REFUSAL, current: [1] },
    { number: 3, outcome: 'tryLater', retryAfterMs: 1_000, message: 'busy' },
    { number: 4, outcome: 'copied' },
    { number: 5, outcome: 'partlySaved', refusal: REFUSAL, committed: [0], current: [0] },
    { number: 6, outcome: 'discarded', header: 0, current: [1] },
    { number: 7, outcome: 'needsDuplicate', header: 0, current: [1] },
    { number: 8, outcome: 'voided' },
  ],
};
const GROUPS = [{ object: 'order', id: 'o1', members: [0], others: [{ object: 'line', id: 'l1', epoch: 1, n: 2 }] }];
const FEED: FeedAnswer = {
  ...HEAD,
  ...ITEMS,
  from: CURSOR,
  next: CURSOR,
  more: true,
  gap: 'expired',
  transactions: [{ position: 7, store: 's', number: 1, items: [0] }],
  groups: GROUPS,
  part: { revision: 'abc', place: 0, next: { object: 'account', id: 'a1' } },
  outside: [0],
};
const SNAPSHOT: SnapshotAnswer = { ...HEAD, ...ITEMS, cursor: CURSOR, next: { object: 'account', id: 'a1' } };
const RECORD: RecordAnswer = { ...HEAD, ...ITEMS, groups: GROUPS, outside: [0] };
const HELLO: HelloAnswer = { ...HEAD, protocols: [1], user: 'u', limits: DEFAULT_LIMITS, hints: true };
const FAULT: FaultAnswer = { protocol: 1, error: { code: 'SERVER_BUSY', message: 'later' }, retryAfterMs: 5_000 };

interface Case {
  readonly message: object;
  readonly parse: (envelope: unknown) => unknown;
  /** Paths that may be missing, or null. */
  readonly optional: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
  'an upload': { message: UPLOAD, parse: parseUploadRequest, optional: ['entries.0.duplicateOf'] },
  'an upload answer': { message: UPLOAD_ANSWER, parse: parseUploadAnswer, optional: ['server.nextPollMs', 'results.1.refusal.online', 'results.4.refusal.online'] },
  'a feed answer': { message: FEED, parse: parseFeedAnswer, optional: ['server.nextPollMs', 'gap', 'part', 'part.next'] },
  'a snapshot answer': { message: SNAPSHOT, parse: parseSnapshotAnswer, optional: ['server.nextPollMs', 'next'] },
  'a record answer': { message: RECORD, parse: parseRecordAnswer, optional: ['server.nextPollMs'] },
  'a hello answer': { message: HELLO, parse: parseHelloAnswer, optional: ['server.nextPollMs'] },
  'an error': { message: FAULT, parse: parseFaultAnswer, optional: ['retryAfterMs'] },
};

const MALFORMED = expect.objectContaining({ code: 'PROTOCOL_MALFORMED' }) as Error;

/** Every path in a message, `results.1.refusal.online` style. */
function pathsOf(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  return Object.entries(value).flatMap(([key, member]) => [`${prefix}${key}`, ...pathsOf(member, `${prefix}${key}.`)]);
}

function valueAt(message: object, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], message);
}

/** The message with another value in one place; `undefined` takes the key away. */
function withValue(message: object, path: string, value: unknown): object {
  const copy = structuredClone(message);
  const keys = path.split('.');
  const last = keys.pop()!;
  const place = keys.reduce<Record<string, unknown>>((inner, key) => inner[key] as Record<string, unknown>, copy as Record<string, unknown>);
  if (value === undefined && !Array.isArray(place)) delete place[last];
  else place[last] = value;
  return copy;
}

/** What must not stand in the place of a value. */
function wrongValues(right: unknown): unknown[] {
  const wrong: readonly unknown[] = [undefined, null, true, 'text', -1, 1.5, 2 ** 53, Number.NaN, 3, [], ['x'], {}, new Uint8Array(1), 10n];
  return wrong.filter((value) => !(kindOf(value) === kindOf(right) && kindOf(value) !== 'other'));
}

function kindOf(value: unknown): string {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? 'whole number' : 'other';
  if (value instanceof Uint8Array) return 'binary';
  if (Array.isArray(value)) return 'list';
  return value === null ? 'null' : typeof value;
}

describe.each(Object.entries(CASES))('%s', (_name, { message, parse, optional }) => {
  test('is read as what it was written from', () => {
    expect(parse(decodeEnvelope(encodeEnvelope(message)))).toEqual(message);
  });

  test('loses what this version does not know', () => {
    expect(parse({ ...message, added: 'later' })).toEqual(message);
  });

  test('is a map', () => {
    for (const value of [undefined, null, 1, 'x', [], new Uint8Array(1)]) expect(() => parse(value)).toThrow(MALFORMED);
  });

  test.each(pathsOf(message))('is malformed where %s is missing or of another type', (path) => {
    const right = valueAt(message, path);
    for (const wrong of wrongValues(right)) {
      if (wrong === null && optional.includes(path)) continue;
      if (wrong === undefined && path === 'retryAfterMs') continue;
      // A list of texts may be any list where the test would put one text in the place of another.
      if (Array.isArray(wrong) && kindOf(right) === 'list') continue;
      expect(() => parse(withValue(message, path, wrong)), `${path} = ${String(wrong)}`).toThrow(MALFORMED);
    }
  });

  test.each(optional)('may have no %s', (path) => {
    expect(() => parse(withValue(message, path, null))).not.toThrow();
  });

  const texts = pathsOf(message).filter((path) => typeof valueAt(message, path) === 'string' && !/(outcome|class|gap)$/.test(path));
  test.each(texts)('is malformed where %s is too long', (path) => {
    const most = path.endsWith('message') ? 4_000 : 255;
    expect(() => parse(withValue(message, path, 'x'.repeat(most)))).not.toThrow();
    expect(() => parse(withValue(message, path, 'x'.repeat(most + 1)))).toThrow(MALFORMED);
  });

  test('of a protocol that is not spoken here says so', () => {
    if (message === FAULT) return void expect(() => parse({ ...message, protocol: 99 })).not.toThrow(); // an error is readable in any
    for (const protocol of [0, 2, 99]) {
      expect(() => parse({ ...message, protocol })).toThrow(expect.objectContaining({ code: 'PROTOCOL_VERSION_UNSUPPORTED', details: { protocol } }));
    }
  });
});

describe('what the parts of messages may not be', () => {
  test.each<[string, string, unknown]>([
    ['an upload', 'entries.0.number', 0],
    ['an upload', 'entries.0.members', 0],
    ['an upload', 'layouts', Array.from({ length: 501 }, () => ITEMS.layouts[0])],
    ['an upload', 'layouts.0', ['account']],
    ['an upload', 'layouts.0', ['account', [], 'more']],
    ['an upload', 'layouts.0.1', Array.from({ length: 501 }, (_, index) => [`f${index}`, 1])],
    ['an upload', 'layouts.0.1.0', ['name', 1, 2]],
    ['an upload answer', 'results.0.outcome', 'maybe'],
    ['an upload answer', 'results.1.refusal.class', 'toString'],
    ['an upload answer', 'results.1.refusal.fields', Array.from({ length: 501 }, () => 'f')],
    ['an upload answer', 'results.0.current', [-1]],
    ['a hello answer', 'protocols', Array.from({ length: 101 }, () => 1)],
    ['a feed answer', 'transactions.0.items', ['0']],
  ])('%s is malformed with %s = %o', (name, path, value) => {
    const { message, parse } = CASES[name]!;
    expect(() => parse(withValue(message, path, value))).toThrow(MALFORMED);
  });

  test('items come as a plain byte array that copies when it is sliced, also from a Buffer', () => {
    const { items } = parseRecordAnswer({ ...RECORD, items: Buffer.from([1, 2, 3]) });
    expect(Object.getPrototypeOf(items)).toBe(Uint8Array.prototype);
    expect([...items]).toEqual([1, 2, 3]);
  });
});

describe('layouts of a message', () => {
  const layout = createLayout('account', [{ name: 'name', type: 'text' }, { name: 'size', type: 'integer' }]);

  test('travel as object, names and type codes, and come back the same', () => {
    expect(wireLayout(layout)).toEqual(['account', [['name', 1], ['size', 3]]]);
    expect(parseLayouts([wireLayout(layout)])).toEqual([layout]);
  });

  test.each([0, 13, 255, 1.5])('are refused with the unknown type code %d', (code) => {
    expect(() => parseLayouts([['account', [['name', code]]]])).toThrow(MALFORMED);
  });

  test('are refused when they name a field twice', () => {
    expect(() => parseLayouts([['account', [['name', 1], ['name', 3]]]])).toThrow(MALFORMED);
  });
});

describe('cursors', () => {
  test('stand in a query string as they are read from it', () => {
    const cursor = { feed: '0190a0b1-77aa-7000-8000-0123456789ab', epoch: 3, position: 123_456_789_012_345 };
    expect(parseCursor(formatCursor(cursor))).toEqual(cursor);
    expect(formatCursor(cursor)).toBe('0190a0b1-77aa-7000-8000-0123456789ab.3.123456789012345');
  });

  test.each(['', 'f', 'f.1', 'f.1.', 'f..1', '.1.1', 'f.1.1.1', 'f.-1.1', 'f.1.-1', 'f.1.1e3', 'f.1.1234567890123456', 'f.1234567890.1', 'f/../x.1.1', `${'f'.repeat(65)}.1.1`, ' f.1.1', 'f.1.1\n'])('are none: %j', (text) => {
    expect(parseCursor(text)).toBeNull();
  });
});
