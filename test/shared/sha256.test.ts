import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesToHex } from '../../src/shared/bytes.ts';
import { sha256 } from '../../src/shared/sha256.ts';

const platformHash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('SHA-256', () => {
  test('is that of the platform at every length around its blocks', () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, index) => index * 7);
      expect(bytesToHex(sha256(bytes)), `${length} bytes`).toBe(platformHash(bytes));
    }
  });

  test('is that of the platform for any bytes, wherever they lie in memory', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.nat(10), (bytes, offset) => {
        const moved = new Uint8Array(bytes.length + offset);
        moved.set(bytes, offset);
        expect(bytesToHex(sha256(moved.subarray(offset)))).toBe(platformHash(bytes));
      }),
    );
  });
});
