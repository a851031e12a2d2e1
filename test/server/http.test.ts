import { createServer, request as sendRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeEnvelope } from '../../src/protocol/envelope.ts';
import { CONTENT_TYPE, HEADERS } from '../../src/protocol/messages.ts';
import { parseFaultAnswer, parseFeedAnswer, parseUploadAnswer } from '../../src/protocol/parse.ts';
import { createWorld } from './harness.ts';

const { server, device } = createWorld({ limits: { bodyBytes: 10_000 }, allowOrigin: 'https://app.example' });
const listener = createServer(server.nodeListener);
let base = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/sync`;
});
afterAll(() => new Promise((resolve) => listener.close(resolve)));

const headers = { authorization: 'ann', [HEADERS.protocol]: '1', [HEADERS.store]: 's1', [HEADERS.attempt]: 'a1' };
const entry = (number: number) => ({ number, changes: [{ create: 'account', id: `h${number}`, values: { name: 'St. Mary' } }] });

const faces: readonly (readonly [string, (path: string, init: RequestInit) => Promise<Response>])[] = [
  ['node listener', (path, init) => fetch(`${base}/${path}`, init)],
  ['fetch', (path, init) => server.fetch(new Request(`https://api.example/any/base/${path}`, init))],
];

describe.each(faces)('%s', (name, send) => {
  const number = name === 'fetch' ? 2 : 1;
  const body = (): BodyInit => device('ann', 's1').encodeUpload([entry(number)]) as Uint8Array<ArrayBuffer>;

  test('answers an upload and polls, 204 with headers when nothing is new', async () => {
    const answer = await send('upload', { method: 'POST', headers: { ...headers, 'content-type': CONTENT_TYPE }, body: body() });
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([200, CONTENT_TYPE, 'no-store']);
    expect(parseUploadAnswer(decodeEnvelope(new Uint8Array(await answer.arrayBuffer()))).results).toMatchObject([{ number, outcome: 'saved' }]);

    const page = await send('feed', { headers });
    const { next } = parseFeedAnswer(decodeEnvelope(new Uint8Array(await page.arrayBuffer())));
    const nothing = await send(`feed?cursor=${next.feed}.${next.epoch}.${next.position}`, { headers });
    expect(nothing.status).toBe(204);
    expect(nothing.headers.get(HEADERS.head)).toBe(String(next.position));
    expect(nothing.headers.get(HEADERS.attempt)).toBe('a1');
    expect(await nothing.text()).toBe('');
  });

  test('refuses a body over the limit while it reads', async () => {
    const large = new Uint8Array(20_000);
    const answer = await send('upload', { method: 'POST', headers: { ...headers, 'content-type': CONTENT_TYPE }, body: large });
    expect(answer.status).toBe(413);
    expect(parseFaultAnswer(decodeEnvelope(new Uint8Array(await answer.arrayBuffer()))).error.code).toBe('PROTOCOL_TOO_LARGE');
  });

  test('refuses strangers, unknown paths and methods with typed errors', async () => {
    const cases: readonly (readonly [string, RequestInit, number, string])[] = [
      ['hello', {}, 401, 'AUTH_REQUIRED'],
      ['nothing', { headers }, 404, 'PROTOCOL_NOT_FOUND'],
      ['hello', { method: 'POST', headers }, 404, 'PROTOCOL_NOT_FOUND'],
      ['upload', { method: 'POST', headers, body: 'x' }, 400, 'PROTOCOL_MALFORMED'],
    ];
    for (const [path, init, status, code] of cases) {
      const answer = await send(path, init);
      expect([path, answer.status, answer.headers.get('content-type')]).toEqual([path, status, CONTENT_TYPE]);
      expect(parseFaultAnswer(decodeEnvelope(new Uint8Array(await answer.arrayBuffer()))).error.code).toBe(code);
    }
  });

  test('lets pages of the named origin in', async () => {
    const preflight = await send('upload', { method: 'OPTIONS', headers: { 'access-control-request-headers': 'content-type' } });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, 'https://app.example']);
    const answer = await send('hello', { headers });
    expect(answer.headers.get('access-control-expose-headers')).toContain(HEADERS.head);
  });
});

test('the node listener outlives a request that is cut off', async () => {
  await new Promise<void>((resolve) => {
    const cut = sendRequest(`${base}/upload`, { method: 'POST', headers: { ...headers, 'content-type': CONTENT_TYPE, 'content-length': '500' } });
    cut.on('error', () => resolve());
    cut.write('begin', () => cut.destroy());
    cut.on('close', resolve);
  });
  expect((await fetch(`${base}/hello`, { headers })).status).toBe(200);
});

test('the node listener counts a body without a length', async () => {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const chunked = sendRequest(`${base}/upload`, { method: 'POST', headers: { ...headers, 'content-type': CONTENT_TYPE } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    chunked.on('error', reject);
    for (let chunk = 0; chunk < 20; chunk++) chunked.write(new Uint8Array(1_000));
    chunked.end();
  });
  expect(status).toBe(413);
});
