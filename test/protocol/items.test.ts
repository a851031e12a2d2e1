import { describe, expect, test } from 'vitest';
import { encodeChanges, encodeImages } from '../../src/protocol/items.ts';
import { bytesToHex } from '../../src/shared/bytes.ts';

const ROW = Uint8Array.of(0x91, 0x01);

describe('items', () => {
  // Golden: docs/PROTOCOL.md promises these forms to servers in other languages.
  test('hold an image as [layout, id, epoch, n, state, row]', () => {
    const images = encodeImages([
      { layout: 0, id: 'a', version: [1, 300], state: 'live', row: ROW },
      { layout: 2, id: 'b', version: [2, 5], state: 'deleted', row: null },
      { layout: 2, id: 'c', version: [2, 6], state: 'hidden', row: null },
    ]);
    expect(bytesToHex(images)).toBe('9600a16101cd012c00' + '9101' + '9602a162020501c0' + '9602a163020602c0');
  });

  test('hold a change as [layout, id, op, epoch, n, mask, previous, next]', () => {
    const changes = encodeChanges([
      { layout: 0, id: 'a', op: 'create', base: [0, 0], mask: null, previous: null, next: ROW },
      { layout: 0, id: 'a', op: 'update', base: [1, 2], mask: Uint8Array.of(1), previous: ROW, next: Uint8Array.of(0x91, 0x02) },
      { layout: 0, id: 'a', op: 'remove', base: [1, 3], mask: Uint8Array.of(1), previous: ROW, next: null },
    ]);
    expect(bytesToHex(changes)).toBe('9800a161000000c0c0' + '9101' + '9800a161010102c40101' + '9101' + '9102' + '9800a161020103c40101' + '9101' + 'c0');
  });

  test('are no bytes when there are none', () => {
    expect(encodeImages([])).toHaveLength(0);
    expect(encodeChanges([])).toHaveLength(0);
  });
});
