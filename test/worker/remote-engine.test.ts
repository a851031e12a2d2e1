import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RecordView } from '../../src/client/engine.ts';
import type { SyncStatus } from '../../src/client/status.ts';
import { isFault, SyncFault } from '../../src/shared/fault.ts';
import { memory } from '../../src/storage/memory.ts';
import type { RemoteEngine } from '../../src/worker/remote-engine.ts';
import { linkEngine } from './linked-engine.ts';
import { echo, partsWith, planFor } from './plans.ts';

describe('an engine in another thread', () => {
  let engine: RemoteEngine;

  afterEach(() => engine.close());

  test('answers calls', async () => {
    engine = linkEngine(planFor('u1'), partsWith());

    const saved = await engine.create('account', { name: 'St. Mary' });

    expect(saved).toEqual({ object: 'account', id: 'account-1', entry: 1 });
    expect(await engine.get('account', 'account-1')).toMatchObject({ id: 'account-1', values: { name: 'St. Mary' } });
    expect(await engine.get('account', 'nobody')).toBeNull();
  });

  test('fails with the fault of the engine, its causes included', async () => {
    engine = linkEngine(planFor('u1'), partsWith());

    const failing = engine.update('account', 'nobody', {});

    await expect(failing).rejects.toBeInstanceOf(SyncFault);
    await expect(failing).rejects.toMatchObject({ code: 'RECORD_MISSING', details: { object: 'account', id: 'nobody' } });
  });

  test('says why it could not be opened, in ready and in every call', async () => {
    engine = linkEngine(planFor('locked'), partsWith());

    await expect(engine.ready).rejects.toMatchObject({ code: 'STORAGE_LOCKED', cause: { code: 'STORAGE_FAILED', cause: { name: 'RangeError' } } });
    await expect(engine.get('account', 'a')).rejects.toMatchObject({ code: 'STORAGE_LOCKED' });
    await expect(engine.watchStatus(() => {})).rejects.toMatchObject({ code: 'STORAGE_LOCKED' });
  });

  test('closes even when it could not be opened', async () => {
    engine = linkEngine(planFor('locked'), partsWith());
    engine.ready.catch(() => {});

    await expect(engine.close()).resolves.toBeUndefined();
  });

  test('refuses a value that cannot be sent as a value that no field can hold', async () => {
    engine = linkEngine(planFor('u1'), partsWith());

    await expect(engine.create('account', { name: () => 'a function' })).rejects.toMatchObject({ code: 'VALUE_INVALID' });
  });

  test('forwards transactions and drafts, and refuses in them what cannot be sent', async () => {
    engine = linkEngine(planFor('u1'), partsWith());

    expect(await engine.save([{ op: 'create', object: 'account', id: 'a1', values: { name: 'x' } }])).toMatchObject({ records: [{ object: 'account', id: 'a1' }] });
    expect(await engine.restore('account', 'a1')).toMatchObject({ id: 'a1' });
    const unsendable = { name: () => 'a function' };
    await expect(engine.save([{ op: 'create', object: 'account', values: unsendable }])).rejects.toMatchObject({ code: 'VALUE_INVALID' });
    await expect(engine.draft({ kind: 'change', draft: 'd1', op: 'update', object: 'account', values: unsendable })).rejects.toMatchObject({ code: 'VALUE_INVALID' });
    await expect(engine.draft({ kind: 'read', draft: 'd1' })).rejects.toMatchObject({ code: 'DRAFT_UNKNOWN' });
  });

  test('refuses calls after it has closed', async () => {
    engine = linkEngine(planFor('u1'), partsWith());
    await engine.close();

    await expect(engine.get('account', 'a')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    await expect(engine.status()).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    await expect(engine.close()).resolves.toBeUndefined();
  });

  test('uses storage, transport and token of the host, which stay where they are', async () => {
    const storage = memory();
    const send = vi.fn(echo.send);
    const token = vi.fn(() => 'secret');
    engine = linkEngine(planFor('u1'), partsWith({ storage, transport: { send }, token }));

    await engine.wake();

    expect(token).toHaveBeenCalledExactlyOnceWith({ reason: 'start' });
    const request = send.mock.calls[0]![0];
    expect(request).toMatchObject({ method: 'POST', path: 'upload', headers: { authorization: 'secret' }, body: new Uint8Array([1, 2, 3]) });
    // Only the bytes of the view crossed, not the buffer behind them.
    expect(request.body!.buffer.byteLength).toBe(3);
    const store = await storage.open({ tenant: 't', user: 'u1' });
    expect(await store.scanState({ prefix: 'answer', limit: 10 })).toEqual([{ key: 'answer', bytes: new Uint8Array([1, 2, 3]) }]);
  });

  test('fails with the fault of a part of the host', async () => {
    const send = () => Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'no network', { cause: new TypeError('failed to fetch') }));
    engine = linkEngine(planFor('u1'), partsWith({ transport: { send } }));

    await expect(engine.wake()).rejects.toMatchObject({ code: 'TRANSPORT_UNREACHABLE', cause: { name: 'TypeError' } });
  });
});

describe('a subscription to an engine in another thread', () => {
  let engine: RemoteEngine;
  let open: Set<MessagePort>;

  /** Counts the channels that comlink opens for listeners. */
  beforeEach(() => {
    engine = linkEngine(planFor('u1'), partsWith());
    open = new Set();
    const Channel = MessageChannel;
    vi.stubGlobal('MessageChannel', function CountedChannel() {
      const channel = new Channel();
      open.add(channel.port1);
      channel.port1.addEventListener('close', () => open.delete(channel.port1));
      return channel;
    });
  });

  afterEach(async () => {
    vi.unstubAllGlobals();
    await engine.close();
  });

  test('hears the answer now and after each change', async () => {
    const heard: (readonly RecordView[])[] = [];
    await engine.watchQuery({ object: 'account' }, (records) => heard.push(records));

    await engine.create('account', { name: 'A' });
    await vi.waitFor(() => expect(heard).toHaveLength(2));

    expect(heard.map((records) => records.map(({ id }) => id))).toEqual([[], ['account-1']]);
  });

  test('hears nothing after it has ended, and lets go of its channel', async () => {
    const listener = vi.fn();
    const stop = await engine.watchRecord('account', 'account-1', listener);
    await vi.waitFor(() => expect(listener).toHaveBeenCalled());
    expect(open.size).toBe(1);

    stop();
    stop();
    await engine.create('account', { name: 'A' });

    await vi.waitFor(() => expect(open.size).toBe(0));
    expect(listener).toHaveBeenCalledExactlyOnceWith(null);
  });

  test('ends with the engine, channels included', async () => {
    await engine.watchQuery({ object: 'account' }, () => {});
    await engine.watchStatus(() => {});
    await engine.watchEvents(() => {});
    expect(open.size).toBe(3);

    await engine.close();

    await vi.waitFor(() => expect(open.size).toBe(0));
  });
});

describe('an engine whose worker dies', () => {
  const gone = new SyncFault('WORKER_FAILED', 'the worker is gone');

  test('fails the calls under way and all later ones', async () => {
    const engine = linkEngine(planFor('silent'), partsWith());
    await engine.ready;
    const waking = engine.wake();
    waking.catch(() => {});

    engine.fail(gone);

    await expect(waking).rejects.toBe(gone);
    await expect(engine.get('account', 'a')).rejects.toBe(gone);
    await expect(engine.close()).resolves.toBeUndefined();
    await expect(engine.get('account', 'a')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
  });

  test('shows that in the status, with the numbers it had last', async () => {
    const engine = linkEngine(planFor('u1'), partsWith());
    const heard: SyncStatus[] = [];
    await engine.watchStatus((status) => heard.push(status));
    await engine.create('account', { name: 'A' });
    await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ pending: 1 }));

    engine.fail(gone);

    const failed = { state: 'error', pending: 1, lastFault: { code: 'WORKER_FAILED' } };
    expect(heard.at(-1)).toMatchObject(failed);
    expect(await engine.status()).toMatchObject(failed);
    const late = vi.fn();
    await engine.watchStatus(late);
    expect(late.mock.calls[0]).toMatchObject([failed]);
    await engine.close();
  });

  test('closes even when the worker dies while it is closing', async () => {
    const engine = linkEngine(planFor('u1'), partsWith());
    await engine.ready;

    const closing = engine.close();
    engine.fail(gone);

    await expect(closing).resolves.toBeUndefined();
    expect(isFault(await engine.status().catch((thrown: unknown) => thrown), 'CLIENT_CLOSED')).toBe(true);
  });
});
