import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { ByteReader } from '../../src/protocol/byte-reader.ts';
import { ByteWriter, written as writtenWithSpare } from '../../src/protocol/byte-writer.ts';
import { bytesEqual, bytesToHex } from '../../src/shared/bytes.ts';

// A reader by other people, so that writer and reader of ours cannot agree on a mistake.
const peer = new Packr({ useRecords: false, int64AsType: 'number' });

function written(write: (writer: ByteWriter) => void, capacity?: number): Uint8Array {
  const writer = new ByteWriter(capacity);
  write(writer);
  return writer.take();
}

const POWERS = Array.from({ length: 54 }, (_, power) => 2 ** power);
const EDGES = [...new Set(POWERS.flatMap((power) => [power - 1, power, power + 1, -power - 1, -power, -power + 1]).filter(Number.isSafeInteger))];
const LENGTHS = [0, 1, 15, 16, 17, 31, 32, 33, 255, 256, 257, 65_535, 65_536];

describe('byte writer', () => {
  test('writes whole numbers at every edge as another library reads them', () => {
    for (const edge of EDGES) {
      const bytes = written((writer) => writer.integer(edge));
      expect(peer.unpack(bytes)).toBe(edge + 0);
      expect(new ByteReader(bytes).value()).toBe(edge + 0);
    }
  });

  test('writes whole numbers in the fewest bytes', () => {
    const sizes: readonly (readonly [from: number, to: number, size: number])[] = [
      [0, 127, 1], [128, 255, 2], [256, 65_535, 3], [65_536, 2 ** 32 - 1, 5], [2 ** 32, 2 ** 53 - 1, 9],
      [-32, -1, 1], [-128, -33, 2], [-32_768, -129, 3], [-(2 ** 31), -32_769, 5], [-(2 ** 53 - 1), -(2 ** 31) - 1, 9],
    ];
    for (const [from, to, size] of sizes) {
      for (const value of [from, to]) expect([value, written((writer) => writer.integer(value)).length]).toEqual([value, size]);
    }
  });

  test('writes any number so that it comes back, whole ones as whole numbers', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger()), (given) => {
        const value = given + 0;
        const bytes = written((writer) => writer.number(value));
        expect(peer.unpack(bytes)).toBe(value);
        expect(new ByteReader(bytes).value()).toBe(value);
        expect(bytes[0] === 0xcb).toBe(!Number.isSafeInteger(value));
      }),
    );
  });

  test.each(LENGTHS)('writes a text and a byte string of %i bytes with the shortest header', (length) => {
    const text = 'x'.repeat(length), binary = new Uint8Array(length).fill(7);
    const [asText, asBinary] = [written((writer) => writer.text(text)), written((writer) => writer.binary(binary))];
    expect(peer.unpack(asText)).toBe(text);
    expect(bytesEqual(peer.unpack(asBinary) as Uint8Array, binary)).toBe(true);
    expect(new ByteReader(asText).value()).toBe(text);
    expect(bytesEqual(new ByteReader(asBinary).anything() as Uint8Array, binary)).toBe(true);
    expect(asText.length - length).toBe(length < 32 ? 1 : length < 256 ? 2 : length < 65_536 ? 3 : 5);
    expect(asBinary.length - length).toBe(length < 256 ? 2 : length < 65_536 ? 3 : 5);
  });

  test.each(LENGTHS)('writes a list and a map of %i with the shortest header', (count) => {
    const list = written((writer) => {
      writer.array(count);
      for (let index = 0; index < count; index++) writer.nil();
    });
    const map = written((writer) => {
      writer.map(count);
      for (let index = 0; index < count; index++) {
        writer.text(`${index}`);
        writer.boolean(index % 2 === 0);
      }
    });
    expect(peer.unpack(list)).toHaveLength(count);
    expect(Object.keys(peer.unpack(map) as object)).toHaveLength(count);
    expect(new ByteReader(list).array()).toBe(count);
    expect(Object.keys(new ByteReader(map).value() as object)).toHaveLength(count);
    expect(list.length - count).toBe(count < 16 ? 1 : count < 65_536 ? 3 : 5);
  });

  test('writes texts of any characters as UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bytes = written((writer) => writer.text(text));
        expect(peer.unpack(bytes)).toBe(text);
        expect(new ByteReader(bytes).value()).toBe(text);
      }),
    );
  });

  test('grows as it must, from any capacity', () => {
    for (const capacity of [0, 1, 2, 9]) {
      const bytes = written((writer) => {
        writer.array(3);
        writer.integer(2 ** 40);
        writer.number(0.5);
        writer.text('a longer text than fits');
      }, capacity);
      expect(peer.unpack(bytes)).toEqual([2 ** 40, 0.5, 'a longer text than fits']);
    }
  });

  test('begins anew after each take, and leaves alone what it handed out', () => {
    const writer = new ByteWriter();
    writer.text('first');
    expect(writer.length).toBe(6);
    const first = writer.take();
    writer.text('other');
    expect(bytesToHex(first)).toBe('a56669727374');
    expect(bytesToHex(writer.take())).toBe('a56f74686572');
    expect(writer.length).toBe(0);
  });
});

describe('byte reader', () => {
  test('starts where it is told, also inside a view of a larger buffer', () => {
    const buffer = written((writer) => {
      writer.text('skipped');
      writer.text('read');
    });
    expect(new ByteReader(buffer, 8).value()).toBe('read');
    expect(new ByteReader(buffer.subarray(8)).value()).toBe('read');
  });

  test('cuts out one value after another as the bytes they are', () => {
    const parts = [[], { a: [1, { b: 'x' }] }, 'text', 2 ** 40, -1.5, null].map((value) => new Uint8Array(peer.pack(value)));
    const reader = new ByteReader(Uint8Array.from(parts.flatMap((part) => [...part])));
    expect(parts.map(() => reader.slice())).toEqual(parts);
  });

  test('throws where a value or a list was to begin and does not', () => {
    for (const tag of [0xc1, 0xc7, 0xc9, 0xca, 0xd4, 0xd8]) {
      expect(() => new ByteReader(Uint8Array.of(tag, 0, 0, 0)).value()).toThrow(RangeError);
      expect(() => new ByteReader(Uint8Array.of(tag, 0, 0, 0)).skip()).toThrow(RangeError);
    }
    expect(() => new ByteReader(Uint8Array.of(0xa1)).array()).toThrow(RangeError);
  });
});

describe('the writer that is kept', () => {
  const texts = (text: string): Uint8Array => writtenWithSpare((writer) => writer.text(text));

  test('leaves nothing of one value in the next, also where the first was larger than what is kept', () => {
    for (const text of ['short', 'x'.repeat(200_000), 'after', 'é'.repeat(40)]) expect(peer.unpack(texts(text))).toBe(text);
  });

  test('is another one for whoever writes meanwhile', () => {
    let inner: Uint8Array = new Uint8Array();
    const outer = writtenWithSpare((writer) => {
      writer.array(1);
      inner = texts('inner');
      writer.text('outer');
    });
    expect([peer.unpack(inner), peer.unpack(outer)]).toEqual(['inner', ['outer']]);
  });

  test('is let go after a fault', () => {
    const fail = (): Uint8Array =>
      writtenWithSpare((writer) => {
        writer.text('half of it');
        throw new Error('the rest is not there');
      });
    expect(fail).toThrow('the rest is not there');
    expect(peer.unpack(texts('whole'))).toBe('whole');
  });
});
