import { describe, expect, test, vi } from 'vitest';
import { SyncFault } from '../../src/shared/fault.ts';
import { http } from '../../src/transport/http.ts';
import type { TokenProvider, TokenRequest } from '../../src/transport/token-source.ts';
import type { TransportRequest } from '../../src/transport/transport-adapter.ts';

const GET: TransportRequest = { method: 'GET', path: 'feed', headers: {} };
const POST: TransportRequest = { method: 'POST', path: 'upload', headers: { 'fieldtide-attempt': 'a1' }, body: new Uint8Array([1, 2, 3]) };

/** A transport to a server that accepts one token only, and notes what it was sent. */
function connect(provider: TokenProvider, accepted: () => string) {
  const sent: { readonly token: string | null; readonly attempt: string | null; readonly body: unknown }[] = [];
  const transport = http({
    url: 'http://localhost',
    token: provider,
    fetch: async (_url, init) => {
      const headers = new Headers(init.headers);
      sent.push({ token: headers.get('authorization'), attempt: headers.get('fieldtide-attempt'), body: init.body ?? null });
      return new Response('answer', { status: headers.get('authorization') === `Bearer ${accepted()}` ? 200 : 401 });
    },
  });
  return { transport, sent };
}

describe('the token of the HTTP transport', () => {
  test('is asked for once, kept, and sent with every request', async () => {
    const provider = vi.fn(async () => 'T1');
    const { transport, sent } = connect(provider, () => 'T1');
    await transport.send(GET);
    await transport.send(GET);
    expect(provider.mock.calls).toEqual([[{ reason: 'start' }]]);
    expect(sent.map(({ token }) => token)).toEqual(['Bearer T1', 'Bearer T1']);
  });

  test('is asked for once by requests that need it at the same time', async () => {
    const provider = vi.fn(async () => 'T1');
    const { transport } = connect(provider, () => 'T1');
    await Promise.all([GET, GET, POST].map((request) => transport.send(request)));
    expect(provider).toHaveBeenCalledTimes(1);
  });

  test('is asked for again after a 401, and the request is repeated as it was', async () => {
    const provider = vi.fn(async ({ reason }: TokenRequest) => (reason === 'start' ? 'T1' : 'T2'));
    const { transport, sent } = connect(provider, () => 'T2');
    expect((await transport.send(POST)).status).toBe(200);
    expect(provider.mock.calls).toEqual([[{ reason: 'start' }], [{ reason: 'refused' }]]);
    expect(sent).toEqual([
      { token: 'Bearer T1', attempt: 'a1', body: POST.body },
      { token: 'Bearer T2', attempt: 'a1', body: POST.body },
    ]);
  });

  test('is renewed once for all requests that were refused with the same one', async () => {
    let tokens = 0;
    const provider = vi.fn(async () => `T${++tokens}`);
    const { transport } = connect(provider, () => 'T2');
    const responses = await Promise.all(Array.from({ length: 5 }, () => transport.send(GET)));
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(provider.mock.calls).toEqual([[{ reason: 'start' }], [{ reason: 'refused' }]]);
  });

  test('is not renewed for a late 401 when another request has a newer one by then', async () => {
    let tokens = 0;
    const provider = vi.fn(async () => `T${++tokens}`);
    const late: (() => void)[] = [];
    const transport = http({
      url: 'http://localhost',
      token: provider,
      fetch: async (url, init) => {
        const isAccepted = new Headers(init.headers).get('authorization') === 'Bearer T2';
        if (url.endsWith('slow') && !isAccepted) await new Promise<void>((resolve) => late.push(resolve));
        return new Response(null, { status: isAccepted ? 200 : 401 });
      },
    });
    const slow = transport.send({ ...GET, path: 'slow' });
    await transport.send(GET);
    late[0]!();
    expect((await slow).status).toBe(200);
    expect(provider).toHaveBeenCalledTimes(2);
  });

  test('refused a second time is given up: the 401 comes back', async () => {
    const provider = vi.fn(async () => 'wrong');
    const { transport, sent } = connect(provider, () => 'right');
    expect((await transport.send(GET)).status).toBe(401);
    expect(provider).toHaveBeenCalledTimes(2);
    expect(sent).toHaveLength(2);
  });

  test.each<[string, TokenProvider]>([
    ['a provider that has none', () => null],
    ['a provider that has an empty one', () => ''],
    ['a provider that throws', () => { throw new Error('signed out'); }],
    ['a provider that rejects', () => Promise.reject(new Error('signed out'))],
    ['a token that no header can carry', () => 'two\r\nlines'],
  ])('is AUTH_REQUIRED with %s, and nothing is sent', async (_case, provider) => {
    const { transport, sent } = connect(provider, () => 'T1');
    await expect(transport.send(GET)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
    expect(sent).toEqual([]);
  });

  test('never stands in a fault', async () => {
    const { transport } = connect(() => 'top secret', () => 'T1');
    const fault = (await transport.send(GET).catch((thrown: unknown) => thrown)) as SyncFault;
    expect(JSON.stringify([fault.message, fault.details, String(fault.cause)])).not.toContain('top secret');
  });

  test('that could not be fetched for want of a network is no reason to sign in: the fault of the provider comes through', async () => {
    const { transport } = connect(() => Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'no network')), () => 'T1');
    await expect(transport.send(GET)).rejects.toMatchObject({ code: 'TRANSPORT_UNREACHABLE' });
  });

  test('is asked for anew after the provider has failed', async () => {
    const provider = vi.fn<TokenProvider>().mockRejectedValueOnce(new Error('not yet')).mockResolvedValue('T1');
    const { transport } = connect(provider, () => 'T1');
    await expect(transport.send(GET)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
    expect((await transport.send(GET)).status).toBe(200);
  });

  test('keeps the answer of a slow provider for the request after the one that was aborted', async () => {
    let give = (_token: string) => {};
    const provider = vi.fn(() => new Promise<string>((resolve) => (give = resolve)));
    const { transport } = connect(provider, () => 'T1');
    const controller = new AbortController();
    const aborted = transport.send({ ...GET, signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'TRANSPORT_ABORTED' });
    const next = transport.send(GET);
    give('T1');
    expect((await next).status).toBe(200);
    expect(provider).toHaveBeenCalledTimes(1);
  });

  test('may be refused or lacking without the request: other failures do not ask for it', async () => {
    const provider = vi.fn(async () => 'T1');
    const transport = http({ url: 'http://localhost', token: provider, fetch: async () => new Response(null, { status: 403 }) });
    expect((await transport.send(GET)).status).toBe(403);
    expect(provider).toHaveBeenCalledTimes(1);
  });
});
