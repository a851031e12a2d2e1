import { describe, expect, test } from 'vitest';
import { compareVersions, NO_VERSION, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, type RecordVersion } from '../../src/protocol/version.ts';

describe('record versions', () => {
  const inOrder: readonly RecordVersion[] = [NO_VERSION, [0, 1], [1, 0], [1, 1], [1, 2], [1, 2 ** 53 - 1], [2, 1], [10, 0]];

  test('are in the order of their epoch, then of their number', () => {
    for (const [index, left] of inOrder.entries()) {
      for (const [other, right] of inOrder.entries()) {
        expect(Math.sign(compareVersions(left, right))).toBe(Math.sign(index - other));
      }
    }
  });

  test('of the protocol: this build speaks what it accepts', () => {
    expect(OLDEST_PROTOCOL_VERSION).toBeLessThanOrEqual(PROTOCOL_VERSION);
  });
});
