import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesEqual, bytesToHex, compareBytes, concatBytes, copyBytes, hashBytes, utf8 } from '../../src/shared/bytes.ts';

/** FNV-1a as its authors write it, in big integers. */
function hashSlowly(bytes: Uint8Array): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffff_ffff_ffff_ffffn;
  return hash.toString(16).padStart(16, '0');
}

const bytes = fc.uint8Array({ maxLength: 200 });

describe('bytes', () => {
  test.each([
    ['', 'cbf29ce484222325'],
    ['a', 'af63dc4c8601ec8c'],
    ['foobar', '85944171f73967e8'],
  ])('of %j hash to the published FNV-1a 64 value', (text, hash) => {
    expect(hashBytes(utf8(text))).toBe(hash);
  });

  test('hash as the slow, obvious version does', () => {
    fc.assert(fc.property(bytes, (given) => void expect(hashBytes(given)).toBe(hashSlowly(given))));
  });

  test('are written as hexadecimal as Node writes them', () => {
    fc.assert(fc.property(bytes, (given) => void expect(bytesToHex(given)).toBe(Buffer.from(given).toString('hex'))));
  });

  test('are equal and ordered as Node says', () => {
    const similar = fc.uint8Array({ maxLength: 4, max: 2 });
    fc.assert(
      fc.property(similar, similar, (left, right) => {
        expect(bytesEqual(left, right)).toBe(Buffer.compare(left, right) === 0);
        expect(Math.sign(compareBytes(left, right))).toBe(Buffer.compare(left, right));
      }),
    );
  });

  test('are joined in order, none at all included', () => {
    fc.assert(fc.property(fc.array(bytes, { maxLength: 8 }), (parts) => void expect([...concatBytes(parts)]).toEqual([...Buffer.concat(parts)])));
  });

  test('are copied into memory of their own, also from a Buffer or a view', () => {
    const buffer = Buffer.from('before MIDDLE after');
    const copy = copyBytes(buffer.subarray(7, 13));
    buffer.fill(0);
    expect(new TextDecoder().decode(copy)).toBe('MIDDLE');
    expect(copy.buffer.byteLength).toBe(6);
  });
});
