import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { isFault } from '../../src/shared/fault.ts';

// Another implementation, as a server in another language would be one.
const peer = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'number' });

const key = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__' && name !== 'toJSON');
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(key, tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
}));

describe('envelopes', () => {
  test('come back as they were', () => {
    fc.assert(fc.property(value, (envelope) => void expect(decodeEnvelope(encodeEnvelope({ envelope }))).toEqual({ envelope })));
  });

  test('are read by another msgpack library, and its are read here', () => {
    fc.assert(
      fc.property(value, (envelope) => {
        expect(plain(peer.unpack(encodeEnvelope({ envelope })))).toEqual({ envelope });
        expect(decodeEnvelope(new Uint8Array(peer.pack({ envelope })))).toEqual({ envelope });
      }),
    );
  });

  test('keep their bytes when another one is encoded', () => {
    const first = encodeEnvelope({ text: 'first', items: Uint8Array.of(1, 2, 3) });
    encodeEnvelope({ text: 'later', items: Uint8Array.of(9, 9, 9) });
    expect(decodeEnvelope(first)).toEqual({ text: 'first', items: Uint8Array.of(1, 2, 3) });
  });

  test('leave out keys without a value', () => {
    expect(decodeEnvelope(encodeEnvelope({ here: 1, absent: undefined }))).toEqual({ here: 1 });
  });

  test('that are cut off, or hold what the protocol does not know, end in a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeEnvelope(bytes);
        } catch (thrown) {
          return isFault(thrown, 'PROTOCOL_MALFORMED');
        }
        return true;
      }),
    );
    for (const bytes of [[0xc1], [0xd4, 1, 2], [0xca, 0, 0, 0, 0], [0x81, 0x01, 0x01], [0x92, 1], [1, 2], [0xa3, 0x61], [0xc4, 9, 1]]) {
      expect(() => decodeEnvelope(Uint8Array.from(bytes))).toThrowError(expect.objectContaining({ code: 'PROTOCOL_MALFORMED' }) as Error);
    }
  });

  test('with a key named __proto__ stay plain data', () => {
    const read = decodeEnvelope(Uint8Array.of(0x81, 0xa9, ...new TextEncoder().encode('__proto__'), 0x01)) as object;
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(Object.keys(read)).toEqual(['__proto__']);
  });
});

/** Node's library hands out Buffers. */
function plain(read: unknown): unknown {
  if (read instanceof Uint8Array) return Uint8Array.from(read);
  if (Array.isArray(read)) return read.map(plain);
  if (typeof read !== 'object' || read === null) return read;
  return Object.fromEntries(Object.entries(read).map(([name, member]) => [name, plain(member)]));
}
