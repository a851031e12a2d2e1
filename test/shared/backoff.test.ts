import { describe, expect, test } from 'vitest';
import { pickBackoff } from '../../src/shared/backoff.ts';
import type { Random } from '../../src/shared/random.ts';

const drawing = (number: number): Random => ({ next: () => number, bytes: (length) => new Uint8Array(length) });
const highest = drawing(1 - 2 ** -53);

describe('back-off', () => {
  test('A17: doubles its ceiling with each failure, from one second to five minutes', () => {
    const ceilings = Array.from({ length: 12 }, (_, index) => pickBackoff(index + 1, highest) + 1);
    expect(ceilings).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000, 300_000]);
  });

  test('picks anything from nothing up to the ceiling, so that devices do not return all at once', () => {
    expect([0, 0.25, 0.5, 0.75].map((number) => pickBackoff(3, drawing(number)))).toEqual([0, 1_000, 2_000, 3_000]);
  });

  test('stays finite after any number of failures', () => {
    for (const failures of [100, 10_000, Number.MAX_SAFE_INTEGER]) expect(pickBackoff(failures, highest)).toBe(299_999);
  });

  test('treats no failure as the first', () => {
    expect(pickBackoff(0, highest)).toBe(999);
  });

  test('keeps to the ceilings it is given', () => {
    expect(pickBackoff(1, highest, { firstMs: 10 })).toBe(9);
    expect(pickBackoff(9, highest, { firstMs: 10, mostMs: 50 })).toBe(49);
    expect(pickBackoff(1, highest, { firstMs: 100, mostMs: 50 })).toBe(49);
  });
});
