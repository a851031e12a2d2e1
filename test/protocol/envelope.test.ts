import { expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';

test('an encoded envelope keeps its bytes when another one is encoded', () => {
  const first = encodeEnvelope({ text: 'first', items: Uint8Array.of(1, 2, 3) });
  encodeEnvelope({ text: 'later', items: Uint8Array.of(9, 9, 9) });
  expect(decodeEnvelope(first)).toMatchObject({ text: 'first' });
  expect(first.constructor).toBe(Uint8Array);
});
