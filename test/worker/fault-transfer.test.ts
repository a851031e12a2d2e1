import { expose, wrap, type Remote } from 'comlink';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SyncFault } from '../../src/shared/fault.ts';
import { installFaultTransfer } from '../../src/worker/fault-transfer.ts';

interface Thrower {
  fail(): void;
}

describe('a fault that crosses to another thread', () => {
  let channel: MessageChannel;

  beforeEach(() => {
    channel = new MessageChannel();
    installFaultTransfer();
  });

  afterEach(() => {
    channel.port1.close();
    channel.port2.close();
  });

  async function cross(thrown: unknown): Promise<unknown> {
    const thrower: Thrower = {
      fail() {
        throw thrown;
      },
    };
    expose(thrower, channel.port2);
    const remote: Remote<Thrower> = wrap<Thrower>(channel.port1);
    return remote.fail().then(
      () => expect.unreachable('it was thrown'),
      (arrived: unknown) => arrived,
    );
  }

  test('is a SyncFault there too, with code, message and details', async () => {
    const arrived = await cross(new SyncFault('STORAGE_FULL', 'no room for transaction 7', { details: { bytes: 12, store: 'crm' } }));

    expect(arrived).toBeInstanceOf(SyncFault);
    expect(arrived).toMatchObject({
      name: 'SyncFault',
      code: 'STORAGE_FULL',
      message: 'no room for transaction 7',
      details: { bytes: 12, store: 'crm' },
    });
  });

  test('keeps the chain of its causes, faults and errors alike', async () => {
    const disk = new RangeError('disk is full');
    const storage = new SyncFault('STORAGE_FULL', 'no room', { details: { bytes: 3 }, cause: disk });
    const arrived = (await cross(new SyncFault('CLIENT_BUSY', 'not now', { cause: storage }))) as SyncFault;

    const middle = arrived.cause as SyncFault;
    expect(middle).toBeInstanceOf(SyncFault);
    expect(middle).toMatchObject({ code: 'STORAGE_FULL', details: { bytes: 3 } });
    expect(middle.cause).toBeInstanceOf(Error);
    expect(middle.cause).toMatchObject({ name: 'RangeError', message: 'disk is full' });
  });

  test('says where it was thrown', async () => {
    const fault = new SyncFault('SERVER_FAILED', 'boom');

    expect(await cross(fault)).toMatchObject({ stack: fault.stack });
  });

  test('ends a chain of causes that runs in a ring', async () => {
    const first = new Error('first');
    first.cause = new Error('second', { cause: first });

    const arrived = (await cross(first)) as Error;

    let depth = 0;
    for (let error: unknown = arrived; error instanceof Error; error = error.cause) depth += 1;
    expect(depth).toBe(9);
  });

  test.each([
    ['a text', 'plain text', 'plain text'],
    ['nothing', undefined, undefined],
    ['a number', 42, 42],
    ['an object', { toString: () => 'an odd thing' }, 'an odd thing'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
  ])('leaves %s that was thrown as it is, or as text', async (_name, thrown, expected) => {
    expect(await cross(thrown)).toBe(expected);
  });

  test('keeps name and message of an error of the platform', async () => {
    const arrived = await cross(new DOMException('it took too long', 'TimeoutError'));

    expect(arrived).toMatchObject({ name: 'TimeoutError', message: 'it took too long' });
  });
});
