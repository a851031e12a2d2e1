import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import type { Core, CoreStatus } from '../../src/core/core.ts';
import { hex } from './hex.ts';

const ACCEPTED: Readonly<Record<string, string>> = {
  'nil': 'c0',
  'a number': '05',
  'a 32-bit float': 'ca 3fc00000',
  'a number in more bytes than it needs': 'cf 0000000000000001',
  'text': 'a2 6869',
  'text with bytes that are no UTF-8, which its reader judges': 'a1 ff',
  'a binary': 'c4 02 0102',
  'an empty binary with the longest header': 'c6 00000000',
  'an empty array': '90',
  'an array of maps and arrays': '93 81 a161 92 01 02 80 c3',
  'a map with the longest header': 'df 00000001 a161 01',
  'a value at depth 32': `${'91'.repeat(32)} 01`,
  'an empty array at depth 32': `${'91'.repeat(32)} 90`,
  'a value at depth 32 of maps': `${'81 c0'.repeat(32)} c0`,
};

const REFUSED: Readonly<Record<string, readonly [string, CoreStatus, number]>> = {
  'no bytes': ['', 'truncated', 0],
  'a second value': ['01 02', 'trailing-bytes', 1],
  'a value at depth 33': [`${'91'.repeat(33)} 01`, 'too-deep', 32],
  'a value at depth 33 of maps': [`${'81 c0'.repeat(33)} c0`, 'too-deep', 64],
  'a million nested arrays': ['91'.repeat(1_000_000), 'too-deep', 32],
  'byte 0xc1': ['91 c1', 'unexpected-type', 1],
  'a fixed extension of 1 byte': ['d4 00 00', 'unexpected-type', 0],
  'a fixed extension of 16 bytes': [`d8 00 ${'00'.repeat(16)}`, 'unexpected-type', 0],
  'a timestamp': ['d6 ff 00000000', 'unexpected-type', 0],
  'an extension of 8-bit length': ['c7 00 00', 'unexpected-type', 0],
  'an extension of 32-bit length': ['c9 ffffffff 00', 'unexpected-type', 0],
  'an array of 2 with 1 member': ['92 01', 'too-many', 0],
  'an array of 2 whose second member lacks bytes': ['92 01 a1', 'truncated', 2],
  'a map with a key and no value': ['81 a161', 'truncated', 3],
  'a map with fewer bytes than keys and values': ['82 01 02 03', 'too-many', 0],
  'an array of 2^32 - 1 members': ['dd ffffffff 01', 'too-many', 0],
  'a map of 2^31 pairs, which is 2^32 values': ['df 80000000 01 01', 'too-many', 0],
  'a map of 2^32 - 1 pairs': ['df ffffffff 01 01', 'too-many', 0],
  'many arrays of 65,535 members each': ['dc ffff'.repeat(24_000), 'too-deep', 96],
  'text of 2^32 - 1 bytes': ['db ffffffff 61', 'truncated', 0],
  'text whose end would wrap around': ['db fffffffb 61', 'truncated', 0],
  'a binary of 2^32 - 1 bytes': ['c6 ffffffff 00', 'truncated', 0],
  'a header cut within its length': ['dd 0000', 'truncated', 0],
  'a float cut short': ['cb 0000', 'truncated', 0],
};

/** Which envelopes may be decoded at all. */
export function describeMessages(getCore: () => Core): void {
  describe('a message', () => {
    for (const [name, bytes] of Object.entries(ACCEPTED)) {
      test(`may be ${name}`, () => {
        expect(getCore().scanMessage(hex(bytes))).toEqual({ ok: true });
      });
    }
    for (const [name, [bytes, status, offset]] of Object.entries(REFUSED)) {
      test(`may not be ${name}: ${status}`, () => {
        expect(getCore().scanMessage(hex(bytes))).toEqual({ ok: false, status, offset });
      });
    }

    test('may be whatever msgpackr writes of plain data', () => {
      const data = { layouts: [['order', [['name', 1]]]], numbers: [0, -1, 1.5, 2 ** 40, -(2 ** 40)], items: new Uint8Array(70_000), none: null };
      expect(getCore().scanMessage(new Packr({ useRecords: false, variableMapSize: true }).pack(data))).toEqual({ ok: true });
    });

    test('is refused wherever it is cut', () => {
      const message = hex('83 a161 93 01 cd0100 cb 3ff8000000000000 a162 c4 03 010203 a163 81 d9 20' + '61'.repeat(32) + 'c3');
      expect(getCore().scanMessage(message)).toEqual({ ok: true });
      for (let length = 0; length < message.length; length++) {
        const refusal = getCore().scanMessage(message.subarray(0, length));
        expect(refusal).toMatchObject({ ok: false, status: expect.stringMatching(/^(truncated|too-many)$/) as unknown });
      }
    });
  });
}
