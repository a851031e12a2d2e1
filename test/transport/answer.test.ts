import { describe, expect, test, vi } from 'vitest';
import { encodeEnvelope } from '../../src/protocol/envelope.ts';
import { CONTENT_TYPE, HEADERS, type AnswerHead, type RecordAnswer } from '../../src/protocol/messages.ts';
import { parseRecordAnswer } from '../../src/protocol/parse.ts';
import { utf8 } from '../../src/shared/bytes.ts';
import type { SyncFault } from '../../src/shared/fault.ts';
import { readAnswer, readPollAnswer, type ExpectedAnswer } from '../../src/transport/answer.ts';
import type { TransportResponse } from '../../src/transport/transport-adapter.ts';

const SERVER = { time: 1_700_000_000_000, epoch: 1, head: 42, nextPollMs: 30_000, schema: 'abc' };
const HEAD: AnswerHead = { protocol: 1, store: 'store-1', attempt: 'attempt-1', server: SERVER };
const MESSAGE: RecordAnswer = { ...HEAD, layouts: [], groups: [], outside: [], items: new Uint8Array(0) };
const EXPECTED: ExpectedAnswer<RecordAnswer> = { store: 'store-1', attempt: 'attempt-1', scan: () => true, parse: parseRecordAnswer };

function response(status: number, body: object | string, headers: Record<string, string> = {}): TransportResponse {
  return { status, headers: { 'content-type': CONTENT_TYPE, ...headers }, body: typeof body === 'string' ? utf8(body) : encodeEnvelope(body) };
}

function refusal(status: number, code: string, headers: Record<string, string> = {}, retryAfterMs?: number): TransportResponse {
  return response(status, { protocol: 1, error: { code, message: `the server says ${code}` }, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }, headers);
}

function faultOf(read: () => unknown): SyncFault {
  try {
    read();
  } catch (thrown) {
    return thrown as SyncFault;
  }
  throw new Error('it was taken for an answer');
}

describe('an answer', () => {
  test('is a 200 of our content type with the message asked for, for this store and this attempt', () => {
    expect(readAnswer(response(200, MESSAGE), EXPECTED)).toEqual(MESSAGE);
  });

  test('may spell its content type in another way', () => {
    const spelled = response(200, MESSAGE, { 'content-type': `${CONTENT_TYPE.toUpperCase()} ; charset=binary` });
    expect(readAnswer(spelled, EXPECTED)).toEqual(MESSAGE);
  });

  test.each<[string, TransportResponse]>([
    ['the HTML of a captive portal, with status 200', { status: 200, headers: { 'content-type': 'text/html' }, body: utf8('<html>Sign in to the hotel network</html>') }],
    ['a message without a content type', { ...response(200, MESSAGE), headers: {} }],
    ['a message under another content type', response(200, MESSAGE, { 'content-type': 'application/msgpack' })],
    ['JSON', { status: 200, headers: { 'content-type': 'application/json' }, body: utf8(JSON.stringify(MESSAGE)) }],
    ['our content type around HTML', response(200, '<html></html>')],
    ['our content type around nothing', response(200, '')],
    ['our content type around a message cut short', { ...response(200, MESSAGE), body: encodeEnvelope(MESSAGE).subarray(0, 20) }],
    ['a message with bytes behind it', { ...response(200, MESSAGE), body: new Uint8Array([...encodeEnvelope(MESSAGE), 0]) }],
    ['another message of ours', response(200, { protocol: 1, error: { code: 'X', message: 'x' } })],
    ['a message for another store', response(200, { ...MESSAGE, store: 'store-2' })],
    ['a message for another attempt', response(200, { ...MESSAGE, attempt: 'attempt-0' })],
    ['a redirect', { status: 302, headers: { location: 'https://portal.example/' }, body: utf8('') }],
    ['a redirect that a browser hides', { status: 0, headers: {}, body: utf8('') }],
    ['a message with status 201', response(201, MESSAGE)],
    ['a 204 to a request that is no poll', { status: 204, headers: { [HEADERS.store]: 'store-1', [HEADERS.attempt]: 'attempt-1' }, body: utf8('') }],
    ['a 304 of a cache', { status: 304, headers: {}, body: utf8('') }],
    ['the 404 of a proxy', { status: 404, headers: { 'content-type': 'text/html' }, body: utf8('not found') }],
    ['the 403 of a firewall', { status: 403, headers: { 'content-type': 'text/html' }, body: utf8('blocked') }],
    ['the 413 of a proxy', { status: 413, headers: { 'content-type': 'text/html' }, body: utf8('too large') }],
    ['the 502 of a gateway', { status: 502, headers: { 'content-type': 'text/html' }, body: utf8('bad gateway') }],
    ['a 400 of ours with a code that nobody knows', refusal(400, 'WHATEVER')],
    ['a 400 of ours whose body cannot be read', response(400, { protocol: 1, error: 'x' })],
  ])('is not %s', (_case, given) => {
    const fault = faultOf(() => readAnswer(given, EXPECTED));
    expect(fault).toMatchObject({ code: 'TRANSPORT_BAD_ANSWER', details: { status: given.status } });
  });

  test('is not decoded before it is scanned', () => {
    const parse = vi.fn(parseRecordAnswer);
    expect(() => readAnswer(response(200, MESSAGE), { ...EXPECTED, scan: () => false, parse })).toThrow(expect.objectContaining({ code: 'TRANSPORT_BAD_ANSWER' }));
    expect(parse).not.toHaveBeenCalled();
  });

  test('of an error is scanned too', () => {
    const scan = vi.fn(() => false);
    expect(() => readAnswer(refusal(400, 'PROTOCOL_MALFORMED'), { ...EXPECTED, scan })).toThrow(expect.objectContaining({ code: 'TRANSPORT_BAD_ANSWER' }));
    expect(scan).toHaveBeenCalledTimes(1);
  });

  test('in a protocol that is not spoken here asks for an upgrade', () => {
    expect(faultOf(() => readAnswer(response(200, { ...MESSAGE, protocol: 99 }), EXPECTED)).code).toBe('PROTOCOL_VERSION_UNSUPPORTED');
  });
});

describe('a refusal', () => {
  test.each([
    [400, 'PROTOCOL_MALFORMED', 'PROTOCOL_MALFORMED'],
    [400, 'PROTOCOL_VERSION_UNSUPPORTED', 'PROTOCOL_VERSION_UNSUPPORTED'],
    [401, 'AUTH_REQUIRED', 'AUTH_REQUIRED'],
    [403, 'AUTH_REFUSED', 'AUTH_REFUSED'],
    [404, 'PROTOCOL_NOT_FOUND', 'PROTOCOL_NOT_FOUND'],
    [409, 'PROTOCOL_CURSOR_INVALID', 'PROTOCOL_CURSOR_INVALID'],
    [413, 'PROTOCOL_TOO_LARGE', 'PROTOCOL_TOO_LARGE'],
    [426, 'PROTOCOL_VERSION_UNSUPPORTED', 'PROTOCOL_VERSION_UNSUPPORTED'],
    [426, 'SOMETHING_NEWER', 'PROTOCOL_VERSION_UNSUPPORTED'],
    [429, 'SERVER_BUSY', 'TRANSPORT_BUSY'],
    [500, 'SERVER_FAILED', 'SERVER_FAILED'],
    [500, 'SOMETHING_NEWER', 'SERVER_FAILED'],
    [502, 'SERVER_FAILED', 'SERVER_FAILED'],
    [503, 'SERVER_BUSY', 'TRANSPORT_BUSY'],
  ])('with status %i and code %s is %s', (status, code, expected) => {
    const fault = faultOf(() => readAnswer(refusal(status, code), EXPECTED));
    expect(fault).toMatchObject({ code: expected, message: `the server says ${code}`, details: { status, serverCode: code } });
  });

  test('may not name a fault of this device', () => {
    expect(faultOf(() => readAnswer(refusal(400, 'STORAGE_CORRUPT'), EXPECTED)).code).toBe('TRANSPORT_BAD_ANSWER');
  });

  test('401 asks for a token whoever sent it', () => {
    const given = { status: 401, headers: { 'content-type': 'text/html' }, body: utf8('<h1>401</h1>') };
    expect(faultOf(() => readAnswer(given, EXPECTED))).toMatchObject({ code: 'AUTH_REQUIRED', details: { status: 401 } });
  });

  test('says how long to wait, in its body before its headers', () => {
    const fault = faultOf(() => readAnswer(refusal(503, 'SERVER_BUSY', { 'retry-after': '60' }, 1_500), EXPECTED));
    expect(fault.details.retryAfterMs).toBe(1_500);
  });

  const SENT_AT = 'Sun, 06 Nov 1994 08:49:37 GMT';
  test.each<[string, Record<string, string>, number | undefined]>([
    ['seconds', { 'retry-after': '120' }, 120_000],
    ['no seconds', { 'retry-after': '0' }, 0],
    ['a date, against the date of the answer', { 'retry-after': 'Sun, 06 Nov 1994 08:50:07 GMT', date: SENT_AT }, 30_000],
    ['a date that has passed', { 'retry-after': 'Sun, 06 Nov 1994 08:00:00 GMT', date: SENT_AT }, 0],
    ['a year, as an hour', { 'retry-after': '31536000' }, 3_600_000],
    ['a date in a year, as an hour', { 'retry-after': 'Mon, 06 Nov 1995 08:49:37 GMT', date: SENT_AT }, 3_600_000],
    ['a date without a date to compare: the clock of the device is not asked', { 'retry-after': 'Sun, 06 Nov 2094 08:50:07 GMT' }, undefined],
    ['nonsense', { 'retry-after': 'soon', date: SENT_AT }, undefined],
    ['a number that is no whole one', { 'retry-after': '-5', date: SENT_AT }, undefined],
    ['a date of another form', { 'retry-after': '1994-11-06', date: SENT_AT }, undefined],
    ['nothing', {}, undefined],
  ])('of a gateway may say Retry-After: %s', (_case, headers, expected) => {
    for (const status of [429, 503]) {
      const fault = faultOf(() => readAnswer({ status, headers: { 'content-type': 'text/html', ...headers }, body: utf8('busy') }, EXPECTED));
      expect(fault.code).toBe('TRANSPORT_BUSY');
      expect(fault.details.retryAfterMs).toBe(expected);
    }
  });
});

describe('the answer to a poll', () => {
  const NOTHING_NEW: Record<string, string> = {
    [HEADERS.protocol]: '1',
    [HEADERS.store]: 'store-1',
    [HEADERS.attempt]: 'attempt-1',
    [HEADERS.time]: '1700000000000',
    [HEADERS.epoch]: '1',
    [HEADERS.head]: '42',
    [HEADERS.nextPoll]: '30000',
    [HEADERS.schema]: 'abc',
  };
  const noContent = (headers: Record<string, string>): TransportResponse => ({ status: 204, headers, body: utf8('') });

  test('is a page', () => {
    expect(readPollAnswer(response(200, MESSAGE), EXPECTED)).toEqual({ page: MESSAGE, head: MESSAGE });
  });

  test('is a 204 that says in headers what a body would', () => {
    expect(readPollAnswer(noContent(NOTHING_NEW), EXPECTED)).toEqual({ page: null, head: HEAD });
  });

  test('leaves it to the device when to poll next, if it does not say', () => {
    const { [HEADERS.nextPoll]: _left, ...rest } = NOTHING_NEW;
    expect(readPollAnswer(noContent(rest), EXPECTED)).toEqual({ page: null, head: { ...HEAD, server: { ...SERVER, nextPollMs: null } } });
  });

  test.each(Object.values(HEADERS).filter((name) => name !== HEADERS.nextPoll && name !== HEADERS.pending))('is not a 204 without %s: a portal checks the network with those', (name) => {
    const { [name]: _left, ...rest } = NOTHING_NEW;
    expect(() => readPollAnswer(noContent(rest), EXPECTED)).toThrow(expect.objectContaining({ code: 'TRANSPORT_BAD_ANSWER' }));
  });

  test.each([HEADERS.protocol, HEADERS.time, HEADERS.epoch, HEADERS.head, HEADERS.nextPoll])('is not a 204 whose %s is no whole number', (name) => {
    for (const value of ['', 'x', '1.5', '-1', '1e3', ' 1', '0x10', '99999999999999999999']) {
      expect(() => readPollAnswer(noContent({ ...NOTHING_NEW, [name]: value }), EXPECTED)).toThrow(expect.objectContaining({ code: 'TRANSPORT_BAD_ANSWER' }));
    }
  });

  test.each([HEADERS.store, HEADERS.attempt])('is not a 204 with another %s', (name) => {
    expect(() => readPollAnswer(noContent({ ...NOTHING_NEW, [name]: 'other' }), EXPECTED)).toThrow(expect.objectContaining({ code: 'TRANSPORT_BAD_ANSWER' }));
  });

  test('in a protocol that is not spoken here asks for an upgrade, on a 204 too', () => {
    const fault = faultOf(() => readPollAnswer(noContent({ ...NOTHING_NEW, [HEADERS.protocol]: '99' }), EXPECTED));
    expect(fault.code).toBe('PROTOCOL_VERSION_UNSUPPORTED');
  });

  test('is refused like any other', () => {
    expect(faultOf(() => readPollAnswer(refusal(403, 'AUTH_REFUSED'), EXPECTED)).code).toBe('AUTH_REFUSED');
  });
});
