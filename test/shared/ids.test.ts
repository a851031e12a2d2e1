import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/shared/clock.ts';
import { createId } from '../../src/shared/ids.ts';
import { platformClock, platformRandom } from '../../src/shared/platform.ts';
import type { Random } from '../../src/shared/random.ts';

const at = (now: number): Clock => ({ ...platformClock, now: () => now });
const filledWith = (byte: number): Random => ({ next: () => 0, bytes: (length) => new Uint8Array(length).fill(byte) });

describe('ids', () => {
  test('are UUIDs of version 7: 48 bits of time, the rest random', () => {
    // The example of RFC 9562, appendix A.6.
    const random: Random = { next: () => 0, bytes: () => Uint8Array.from([0, 0, 0, 0, 0, 0, 0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]) };
    expect(createId(at(0x017f22e279b0), random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
  });

  test('have their version and variant whatever the random bits are', () => {
    expect(createId(at(0), filledWith(0))).toBe('00000000-0000-7000-8000-000000000000');
    expect(createId(at(2 ** 48 - 1), filledWith(0xff))).toBe('ffffffff-ffff-7fff-bfff-ffffffffffff');
  });

  test('sort by time as text', () => {
    const times = [0, 1, 255, 256, 65_536, 1_700_000_000_000, 1_700_000_000_001, 2 ** 47];
    const ids = times.map((time) => createId(at(time), platformRandom));
    expect([...ids].sort()).toEqual(ids);
  });

  test('made in the same millisecond are different', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => createId(at(5), platformRandom))).size).toBe(10_000);
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 60, Infinity])('keep their form on a device whose clock says %d', (now) => {
    expect(createId(at(now), platformRandom)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
