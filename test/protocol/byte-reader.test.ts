import { describe, expect, test } from 'vitest';
import { ByteReader } from '../../src/protocol/byte-reader.ts';
import { ByteWriter } from '../../src/protocol/byte-writer.ts';

describe('byte reader', () => {
  test.each([0, 5, 31, 32, 255, 256, 65_535, 65_536])('steps over a text and a binary of %i bytes', (length) => {
    const writer = new ByteWriter();
    writer.text('x'.repeat(length));
    writer.binary(new Uint8Array(length));
    writer.array(2);
    writer.integer(2 ** 40);
    writer.number(0.5);
    writer.text('end');
    const reader = new ByteReader(writer.take());
    reader.skip();
    reader.skip();
    reader.skip();
    expect(reader.value()).toBe('end');
  });
});
