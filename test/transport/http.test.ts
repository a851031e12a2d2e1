import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CONTENT_TYPE } from '../../src/protocol/messages.ts';
import { isFault } from '../../src/shared/fault.ts';
import { describeTransportAdapter } from '../../src/testing/describe-transport-adapter.ts';
import { http, type HttpOptions } from '../../src/transport/http.ts';
import type { TransportRequest } from '../../src/transport/transport-adapter.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { serve, serveRequests, type TestServer } from './serve.ts';

describeTransportAdapter({
  name: 'HTTP',
  describe,
  test,
  async connect(handle) {
    const server = await serveRequests(handle);
    return { transport: http({ url: `${server.url}/base/` }), disconnect: server.close };
  },
  async connectNowhere() {
    const server = await serve(() => {});
    await server.close();
    return { transport: http({ url: server.url }) };
  },
});

const GET: TransportRequest = { method: 'GET', path: 'feed?cursor=secret', headers: {} };

describe('the HTTP transport', () => {
  const running: TestServer[] = [];
  afterEach(() => Promise.all(running.splice(0).map((server) => server.close())));

  async function connect(listener: RequestListener, options: Partial<HttpOptions> = {}) {
    const server = await serve(listener);
    running.push(server);
    return http({ url: server.url, ...options });
  }

  /** A server that answers with the headers it got. */
  const echoHeaders: RequestListener = (request, response) => response.end(JSON.stringify(request.headers));
  const headersOf = (body: Uint8Array) => JSON.parse(new TextDecoder().decode(body)) as Record<string, string>;

  describe('requests', () => {
    test('say what they carry and what they accept, and that no cache may answer', async () => {
      const transport = await connect(echoHeaders);
      const { body } = await transport.send({ method: 'POST', path: 'upload', headers: { 'fieldtide-store': 's' }, body: new Uint8Array([1]) });
      expect(headersOf(body)).toMatchObject({ 'content-type': CONTENT_TYPE, accept: CONTENT_TYPE, 'cache-control': 'no-cache', 'fieldtide-store': 's' });
    });

    test('have no content type without a body, and no token without a provider', async () => {
      const transport = await connect(echoHeaders);
      const headers = headersOf((await transport.send(GET)).body);
      expect(headers).not.toHaveProperty('content-type');
      expect(headers).not.toHaveProperty('authorization');
    });

    test('carry the headers of the host, which do not replace those of the request', async () => {
      const transport = await connect(echoHeaders, { headers: { 'x-tenant': 'acme', 'fieldtide-store': 'forged' } });
      const headers = headersOf((await transport.send({ ...GET, headers: { 'fieldtide-store': 'mine' } })).body);
      expect(headers).toMatchObject({ 'x-tenant': 'acme', 'fieldtide-store': 'mine' });
    });

    test.each(['/sync', '/sync/'])('go below the base path %s', async (base) => {
      const server = await serve((request, response) => response.end(request.url));
      running.push(server);
      const { body } = await http({ url: server.url + base }).send(GET);
      expect(new TextDecoder().decode(body)).toBe('/sync/feed?cursor=secret');
    });

    test.each(['', 'https://a.example/sync?x=1', 'https://a.example/#top'])('refuse the base URL %j', (url) => {
      expect(() => http({ url })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    });

    test('refuse headers that HTTP cannot carry when the transport is made, not at the first request', () => {
      expect(() => http({ url: 'https://a.example', headers: { 'bad name': 'x' } })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    });
  });

  describe('the deadline', () => {
    /** Waits until a request has reached the server, then lets the deadline pass. */
    async function failAtDeadline(begin: (response: ServerResponse) => void) {
      const clock = createManualClock();
      let asked = () => {};
      const asking = new Promise<void>((resolve) => (asked = resolve));
      const transport = await connect((_request, response) => {
        begin(response);
        asked();
      }, { clock, timeoutMs: 5_000 });
      const sending = transport.send(GET);
      const failing = expect(sending).rejects.toMatchObject({ code: 'TRANSPORT_TIMEOUT', details: { timeoutMs: 5_000 } });
      await asking;
      expect(clock.timers).toEqual([5_000]);
      await clock.advance(30_000);
      await failing;
    }

    test('ends a request that gets no answer', () => failAtDeadline(() => {}));

    test('ends a request whose body stops halfway', () => failAtDeadline((response) => void response.write('half')));

    test('is 30 seconds unless told otherwise, and is cleared by the answer', async () => {
      const clock = createManualClock();
      const set = vi.spyOn(clock, 'setTimer');
      const transport = await connect((_request, response) => response.end('x'), { clock });
      await transport.send(GET);
      expect(set).toHaveBeenCalledWith(30_000, expect.any(Function));
      expect(clock.timers).toEqual([]);
    });

    test('is cleared by a failure, and by an abort', async () => {
      const clock = createManualClock();
      const transport = await connect((request) => request.socket.destroy(), { clock });
      await expect(transport.send(GET)).rejects.toMatchObject({ code: 'TRANSPORT_UNREACHABLE' });
      expect(clock.timers).toEqual([]);
      await expect(transport.send({ ...GET, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'TRANSPORT_ABORTED' });
      expect(clock.timers).toEqual([]);
    });

    test('counts the wait for a token', async () => {
      const clock = createManualClock();
      const transport = http({ url: 'http://localhost', clock, timeoutMs: 5_000, token: () => new Promise(() => {}) });
      const failing = expect(transport.send(GET)).rejects.toMatchObject({ code: 'TRANSPORT_TIMEOUT' });
      await clock.advance(30_000);
      await failing;
    });

    test('ends a request even where fetch does not listen to its signal', async () => {
      const clock = createManualClock();
      const transport = http({ url: 'http://localhost', clock, fetch: () => new Promise(() => {}) });
      const failing = expect(transport.send(GET)).rejects.toMatchObject({ code: 'TRANSPORT_TIMEOUT' });
      await clock.advance(30_000);
      await failing;
    });

    test('does not exist where it is infinite', async () => {
      const clock = createManualClock();
      const set = vi.spyOn(clock, 'setTimer');
      const transport = await connect((_request, response) => response.end('x'), { clock, timeoutMs: Infinity });
      await transport.send(GET);
      expect(set).not.toHaveBeenCalled();
    });
  });

  describe('aborting', () => {
    test('lets go of the signal when the request is over', async () => {
      const transport = await connect((_request, response) => response.end('x'));
      const { signal } = new AbortController();
      const listening = { add: vi.spyOn(signal, 'addEventListener'), remove: vi.spyOn(signal, 'removeEventListener') };
      await transport.send({ ...GET, signal });
      expect(listening.remove.mock.calls.map(([type]) => type)).toEqual(listening.add.mock.calls.map(([type]) => type));
    });

    test('closes the connection, so that the server can stop working', async () => {
      let closed: Promise<unknown> = Promise.resolve();
      const controller = new AbortController();
      const transport = await connect((request: IncomingMessage) => {
        closed = new Promise((resolve) => request.socket.on('close', resolve));
        controller.abort();
      });
      await expect(transport.send({ ...GET, signal: controller.signal })).rejects.toMatchObject({ code: 'TRANSPORT_ABORTED' });
      await closed;
    });
  });

  describe('the size of an answer', () => {
    const limit = { maxBodyBytes: 100_000 };

    test('may be exactly the limit', async () => {
      const transport = await connect((_request, response) => response.end(new Uint8Array(100_000)), limit);
      expect((await transport.send(GET)).body).toHaveLength(100_000);
    });

    test('is refused one byte beyond it', async () => {
      const transport = await connect((_request, response) => response.end(new Uint8Array(100_001)), limit);
      await expect(transport.send(GET)).rejects.toMatchObject({ code: 'TRANSPORT_TOO_LARGE', details: { maxBodyBytes: 100_000 } });
    });

    test('is refused while it streams, not when it ends: an endless answer ends too', async () => {
      const transport = await connect((_request, response) => {
        const write = () => {
          while (!response.destroyed && response.write(new Uint8Array(65_536)));
        };
        response.on('drain', write);
        write();
      }, limit);
      await expect(transport.send(GET)).rejects.toMatchObject({ code: 'TRANSPORT_TOO_LARGE' });
    });

    test.each([['gzip', gzipSync], ['br', brotliCompressSync]] as const)('counts after decompression: a %s bomb is refused unread', async (encoding, compress) => {
      const bomb = compress(new Uint8Array(50_000_000));
      expect(bomb.length).toBeLessThan(100_000);
      const transport = await connect((_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(bomb), limit);
      const before = process.memoryUsage().arrayBuffers;
      await expect(transport.send(GET)).rejects.toMatchObject({ code: 'TRANSPORT_TOO_LARGE' });
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
    });

    test('is counted where fetch has no streams: first as declared, then as it came', async () => {
      const withoutStream = (length: number, headers = {}) => Object.assign(new Response(null, { headers }), { arrayBuffer: async () => new ArrayBuffer(length) });
      const send = (response: Response) => http({ url: 'http://localhost', ...limit, fetch: async () => response }).send(GET);
      await expect(send(withoutStream(0, { 'content-length': '100001' }))).rejects.toMatchObject({ code: 'TRANSPORT_TOO_LARGE' });
      await expect(send(withoutStream(100_001))).rejects.toMatchObject({ code: 'TRANSPORT_TOO_LARGE' });
      expect((await send(withoutStream(100_000))).body).toHaveLength(100_000);
    });
  });

  describe('what goes wrong on the way', () => {
    test('a body cut short is TRANSPORT_UNREACHABLE, not a short answer', async () => {
      const transport = await connect((_request, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('half');
        setImmediate(() => response.destroy());
      });
      await expect(transport.send(GET)).rejects.toMatchObject({ code: 'TRANSPORT_UNREACHABLE' });
    });

    test('a chunked body cut short is TRANSPORT_UNREACHABLE too', async () => {
      const transport = await connect((_request, response) => {
        response.write('half');
        setImmediate(() => response.destroy());
      });
      await expect(transport.send(GET)).rejects.toMatchObject({ code: 'TRANSPORT_UNREACHABLE' });
    });

    test('a body that is not what its encoding says is TRANSPORT_UNREACHABLE', async () => {
      const transport = await connect((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip'));
      await expect(transport.send(GET)).rejects.toMatchObject({ code: 'TRANSPORT_UNREACHABLE' });
    });

    test('a redirect comes back as what it is and is not followed, with the body or without', async () => {
      const visited: string[] = [];
      const transport = await connect((request, response) => {
        visited.push(request.url!);
        response.writeHead(307, { location: '/sign-in' }).end();
      });
      expect(await transport.send({ method: 'POST', path: 'upload', headers: {}, body: new Uint8Array(10) })).toMatchObject({ status: 307 });
      expect(visited).toEqual(['/upload']);
    });

    test('faults name the request without its query, which names records', async () => {
      const transport = await connect((request) => request.socket.destroy());
      const fault = await transport.send(GET).catch((thrown: unknown) => thrown);
      expect(isFault(fault, 'TRANSPORT_UNREACHABLE')).toBe(true);
      expect((fault as Error).message).toContain('GET feed');
      expect((fault as Error).message).not.toContain('secret');
    });
  });
});
