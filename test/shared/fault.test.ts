import { describe, expect, test } from 'vitest';
import { FAULT_CODES } from '../../src/shared/fault-codes.ts';
import { describeFault, isFault, rebuildFault, SyncFault } from '../../src/shared/fault.ts';

/** To the other side of a worker and back into a fault. */
function cross(thrown: unknown): SyncFault {
  return rebuildFault(structuredClone(describeFault(thrown)));
}

describe('a fault', () => {
  test('is an Error with a code, a sentence, details and a cause', () => {
    const cause = new Error('disk');
    const fault = new SyncFault('STORAGE_FULL', 'cannot commit', { details: { usedBytes: 7 }, cause });
    expect(fault).toBeInstanceOf(Error);
    expect(fault).toMatchObject({ name: 'SyncFault', code: 'STORAGE_FULL', message: 'cannot commit', details: { usedBytes: 7 }, cause });
    expect(String(fault)).toBe('SyncFault: cannot commit');
  });

  test('has no cause, not even an undefined one, where there is none', () => {
    expect('cause' in new SyncFault('STORAGE_FULL', 'x')).toBe(false);
    expect('cause' in new SyncFault('STORAGE_FULL', 'x', { cause: undefined })).toBe(false);
  });

  test('is told by its code', () => {
    const fault = new SyncFault('STORAGE_FULL', 'x');
    expect([isFault(fault), isFault(fault, 'STORAGE_FULL'), isFault(fault, 'STORAGE_CLOSED')]).toEqual([true, true, false]);
    expect([new Error('x'), { code: 'STORAGE_FULL' }, null, undefined, 'STORAGE_FULL'].some((value) => isFault(value))).toBe(false);
  });

  test('of another copy of the package is one too, and a fault of its own kind is none of another', () => {
    class OtherCopy extends Error {
      override readonly name = 'SyncFault';
      readonly code = 'STORAGE_FULL';
    }
    class OwnKind extends SyncFault {}
    expect([isFault(new OtherCopy('x'), 'STORAGE_FULL'), new OtherCopy('x') instanceof SyncFault]).toEqual([true, true]);
    expect([new SyncFault('STORAGE_FULL', 'x') instanceof OwnKind, new OwnKind('STORAGE_FULL', 'x') instanceof OwnKind]).toEqual([false, true]);
  });

  test('crosses a worker with code, message and details, and is a fault there', () => {
    const fault = cross(new SyncFault('VALUE_INVALID', 'account.size is wrong', { details: { field: 'account.size', isRetryable: false, at: null } }));
    expect(isFault(fault, 'VALUE_INVALID')).toBe(true);
    expect(fault).toMatchObject({ message: 'account.size is wrong', details: { field: 'account.size', isRetryable: false, at: null } });
    expect(fault.cause).toBeUndefined();
  });

  test('crosses with the faults that caused it, to any depth', () => {
    const root = new SyncFault('STORAGE_FULL', 'no room', { details: { quotaBytes: 1 } });
    const fault = cross(new SyncFault('CLIENT_CLOSED', 'closed', { cause: new SyncFault('STORAGE_FAILED', 'failed', { cause: root }) }));
    expect(fault.cause).toMatchObject({ code: 'STORAGE_FAILED', cause: { code: 'STORAGE_FULL', details: { quotaBytes: 1 } } });
    expect(isFault((fault.cause as SyncFault).cause, 'STORAGE_FULL')).toBe(true);
  });

  test.each<[string, unknown, string]>([
    ['an Error', new TypeError('fetch failed'), 'TypeError: fetch failed'],
    ['a DOMException', new DOMException('no room', 'QuotaExceededError'), 'QuotaExceededError: no room'],
    ['anything', 42, '42'],
  ])('crosses with %s as its cause, in words', (_case, cause, words) => {
    expect(cross(new SyncFault('STORAGE_FAILED', 'failed', { cause })).cause).toBe(words);
  });

  test.each<[string, unknown, string]>([
    ['an Error', new TypeError('x is not a function'), 'x is not a function'],
    ['a text', 'oops', 'oops'],
    ['nothing', undefined, 'undefined'],
    ['what cannot be cloned', Object.assign(new Error('with a function'), { run: () => 1 }), 'with a function'],
  ])('is made of %s that was thrown in the worker', (_case, thrown, message) => {
    expect(cross(thrown)).toMatchObject({ code: 'WORKER_FAILED', message, details: {} });
  });

  test('has a code that says the area and the reason, and there are no two of one name', () => {
    for (const code of FAULT_CODES) expect(code).toMatch(/^[A-Z]+(_[A-Z]+)+$/);
    expect(new Set(FAULT_CODES).size).toBe(FAULT_CODES.length);
  });
});
