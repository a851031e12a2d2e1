import { describe, expect, test } from 'vitest';
import { forwardCalls } from '../../src/shared/forward-calls.ts';

class Counter {
  #count = 0;
  add(first: number, second = 0): number {
    return (this.#count += first + second);
  }
  fail(): never {
    throw new RangeError('no');
  }
  unnamed(): void {}
}

describe('forwarded calls', () => {
  test('reach the methods of the target with all arguments, and bring back what they return or throw', () => {
    const counter = new Counter();
    const { add, fail } = forwardCalls<Counter, 'add' | 'fail'>(['add', 'fail'], (call) => call(counter));
    expect(add(1, 2)).toBe(3);
    expect(add(4)).toBe(7);
    expect(fail).toThrow(RangeError);
  });

  test('are those named, no others', () => {
    expect(Object.keys(forwardCalls<Counter, 'add'>(['add'], () => 0))).toEqual(['add']);
  });

  test('may go a way of their own before they reach a target', async () => {
    const { add } = forwardCalls<Counter, 'add'>(['add'], (call) => Promise.resolve(new Counter()).then(call));
    await expect(add(1)).resolves.toBe(1);
  });
});
