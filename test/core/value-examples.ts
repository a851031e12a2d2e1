import type { FieldType } from '../../src/protocol/field.ts';
import type { CoreStatus } from '../../src/core/core.ts';

/** Bytes of one value, as hex digits; spaces are for the reader. */
type Hex = string;

export interface ValueExamples {
  readonly accepted: Readonly<Record<string, Hex>>;
  readonly refused: Readonly<Record<string, readonly [Hex, CoreStatus]>>;
}

/** Hex digits of ASCII text, without a header. */
function ascii(text: string): Hex {
  return Array.from(text, (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}

/** A short msgpack text of ASCII. */
function short(text: string): Hex {
  return (0xa0 + text.length).toString(16) + ascii(text);
}

function str8(byteLength: number, body: Hex): Hex {
  return `d9 ${byteLength.toString(16).padStart(2, '0')} ${body}`;
}

function str16(byteLength: number, body: Hex): Hex {
  return `da ${byteLength.toString(16).padStart(4, '0')} ${body}`;
}

function str32(byteLength: number, body: Hex): Hex {
  return `db ${byteLength.toString(16).padStart(8, '0')} ${body}`;
}

const a = (count: number): Hex => '61'.repeat(count);

const TEXT: ValueExamples = {
  accepted: {
    'no value': 'c0',
    'one letter': short('x'),
    '31 bytes with a one-byte header': `bf ${a(31)}`,
    '32 bytes with a two-byte header': str8(32, a(32)),
    '255 bytes with a two-byte header': str8(255, a(255)),
    '256 bytes with a three-byte header': str16(256, a(256)),
    '65,535 bytes with a three-byte header': str16(65535, a(65535)),
    '65,536 bytes with a five-byte header': str32(65536, a(65536)),
    '1,048,576 bytes': str32(1048576, a(1048576)),
    'two-byte characters from U+0080 to U+07FF': 'a4 c280 dfbf',
    'three-byte characters around the surrogates': 'ac e0a080 ed9fbf ee8080 efbfbf',
    'four-byte characters from U+10000 to U+10FFFF': 'a8 f0908080 f48fbfbf',
    'a NUL': 'a1 00',
    'a byte-order mark': 'a3 efbbbf',
    'ASCII around a character that crosses eight bytes': `ac ${ascii('abcdef')} e282ac ${ascii('ghi')}`,
  },
  refused: {
    'empty text': ['a0', 'not-canonical'],
    'a two-byte header for 31 bytes': [str8(31, a(31)), 'not-canonical'],
    'a three-byte header for 255 bytes': [str16(255, a(255)), 'not-canonical'],
    'a five-byte header for 65,535 bytes': [str32(65535, a(65535)), 'not-canonical'],
    'a five-byte header for one byte': [str32(1, a(1)), 'not-canonical'],
    '1,048,577 bytes': [str32(1048577, a(1048577)), 'too-large'],
    'a header that promises more than there is': ['a2 61', 'truncated'],
    'a header cut after its tag': ['d9', 'truncated'],
    'a header cut within its length': ['da 01', 'truncated'],
    'a length near 2^32': ['db ffffffff 61', 'truncated'],
    'a lone continuation byte': ['a1 80', 'bad-utf8'],
    'a lone continuation byte after ASCII': [`a9 ${ascii('abcdefgh')} bf`, 'bad-utf8'],
    'a character cut at the end of the text': ['a2 e282', 'bad-utf8'],
    'a character cut by another': ['a3 e28261', 'bad-utf8'],
    'a four-byte character cut in its last byte': ['a4 f0908061', 'bad-utf8'],
    'an overlong NUL': ['a2 c080', 'bad-utf8'],
    'an overlong slash in two bytes': ['a2 c1af', 'bad-utf8'],
    'an overlong form of three bytes': ['a3 e09fbf', 'bad-utf8'],
    'an overlong form of four bytes': ['a4 f08fbfbf', 'bad-utf8'],
    'the lowest surrogate': ['a3 eda080', 'bad-utf8'],
    'the highest surrogate': ['a3 edbfbf', 'bad-utf8'],
    'U+110000': ['a4 f4908080', 'bad-utf8'],
    'a lead byte of code points above U+10FFFF': ['a4 f5808080', 'bad-utf8'],
    'a five-byte form': ['a5 f888808080', 'bad-utf8'],
    'byte 0xff': ['a1 ff', 'bad-utf8'],
    'a binary': ['c4 01 61', 'unexpected-type'],
    'a number': ['01', 'unexpected-type'],
    'a boolean': ['c3', 'unexpected-type'],
    'an array': ['91 a1 61', 'unexpected-type'],
    'a map': ['80', 'unexpected-type'],
    'an extension': ['d4 00 00', 'unexpected-type'],
    'byte 0xc1': ['c1', 'unexpected-type'],
  },
};

const INTEGER: ValueExamples = {
  accepted: {
    'no value': 'c0',
    '0': '00',
    '127': '7f',
    '128': 'cc 80',
    '255': 'cc ff',
    '256': 'cd 0100',
    '65,535': 'cd ffff',
    '65,536': 'ce 00010000',
    '2^32 - 1': 'ce ffffffff',
    '2^32': 'cf 0000000100000000',
    '2^53 - 1': 'cf 001fffffffffffff',
    '-1': 'ff',
    '-32': 'e0',
    '-33': 'd0 df',
    '-128': 'd0 80',
    '-129': 'd1 ff7f',
    '-32,768': 'd1 8000',
    '-32,769': 'd2 ffff7fff',
    '-2^31': 'd2 80000000',
    '-2^31 - 1': 'd3 ffffffff7fffffff',
    '-(2^53 - 1)': 'd3 ffe0000000000001',
  },
  refused: {
    '127 in two bytes': ['cc 7f', 'not-canonical'],
    '255 in three bytes': ['cd 00ff', 'not-canonical'],
    '65,535 in five bytes': ['ce 0000ffff', 'not-canonical'],
    '2^32 - 1 in nine bytes': ['cf 00000000ffffffff', 'not-canonical'],
    '-32 in two bytes': ['d0 e0', 'not-canonical'],
    '-128 in three bytes': ['d1 ff80', 'not-canonical'],
    '-32,768 in five bytes': ['d2 ffff8000', 'not-canonical'],
    '-2^31 in nine bytes': ['d3 ffffffff80000000', 'not-canonical'],
    '5 in the signed family': ['d0 05', 'not-canonical'],
    '200 in the signed family': ['d1 00c8', 'not-canonical'],
    '40,000 in the signed family': ['d2 00009c40', 'not-canonical'],
    '2^40 in the signed family': ['d3 0000010000000000', 'not-canonical'],
    '2^53': ['cf 0020000000000000', 'out-of-range'],
    '2^64 - 1': ['cf ffffffffffffffff', 'out-of-range'],
    '-2^53': ['d3 ffe0000000000000', 'out-of-range'],
    '-2^63': ['d3 8000000000000000', 'out-of-range'],
    'a float': ['cb 3ff8000000000000', 'unexpected-type'],
    'text': [short('1'), 'unexpected-type'],
    'a boolean': ['c2', 'unexpected-type'],
    'a number cut short': ['cd 01', 'truncated'],
    'nine bytes cut short': ['cf 00000001000000', 'truncated'],
  },
};

const NUMBER: ValueExamples = {
  accepted: {
    ...INTEGER.accepted,
    '1.5': 'cb 3ff8000000000000',
    '-0.1': 'cb bfb999999999999a',
    '2^53 as a float': 'cb 4340000000000000',
    '-2^53 as a float': 'cb c340000000000000',
    'the largest double': 'cb 7fefffffffffffff',
    'the smallest double above 0': 'cb 0000000000000001',
  },
  refused: {
    '0.0 as a float': ['cb 0000000000000000', 'not-canonical'],
    '-0.0': ['cb 8000000000000000', 'not-canonical'],
    '1 as a float': ['cb 3ff0000000000000', 'not-canonical'],
    '2^53 - 1 as a float': ['cb 433fffffffffffff', 'not-canonical'],
    '-(2^53 - 1) as a float': ['cb c33fffffffffffff', 'not-canonical'],
    'NaN': ['cb 7ff8000000000000', 'out-of-range'],
    'a NaN with a payload': ['cb fff0000000000001', 'out-of-range'],
    'infinity': ['cb 7ff0000000000000', 'out-of-range'],
    'minus infinity': ['cb fff0000000000000', 'out-of-range'],
    '2^53 as an integer': ['cf 0020000000000000', 'out-of-range'],
    '127 in two bytes': ['cc 7f', 'not-canonical'],
    'a 32-bit float': ['ca 3fc00000', 'not-canonical'],
    'a float cut short': ['cb 3ff80000000000', 'truncated'],
    'text': [short('1.5'), 'unexpected-type'],
  },
};

const digits = (count: number): string => '1'.repeat(count);

const DECIMAL: ValueExamples = {
  accepted: {
    'no value': 'c0',
    ...Object.fromEntries(['0', '7', '-7', '10', '0.5', '-0.5', '12.05', '100.001', '-120.3', '0.0000001'].map((text) => [text, short(text)])),
    '60 digits': str8(60, ascii(digits(60))),
    '60 digits with a sign and a point': str8(62, ascii(`-${digits(30)}.${digits(30)}`)),
  },
  refused: {
    ...Object.fromEntries(
      ['', '-', '-0', '+1', '01', '00', '-01', '1.', '.5', '-.5', '1.50', '0.0', '1.5.2', '1e3', ' 1', '1 ', '1,5', 'NaN', '1-', '--1', '0x1'].map(
        (text) => [`'${text}'`, [short(text), 'not-canonical'] as const],
      ),
    ),
    '61 digits': [str8(61, ascii(digits(61))), 'too-large'],
    '61 digits around a point': [str8(62, ascii(`${digits(31)}.${digits(30)}`)), 'too-large'],
    'Arabic-Indic digits': ['a2 d9a1', 'not-canonical'],
    'a number': ['01', 'unexpected-type'],
    'a header longer than needed': ['d9 01 31', 'not-canonical'],
    'fewer bytes than promised': ['a3 3131', 'truncated'],
  },
};

const DATE: ValueExamples = {
  accepted: {
    'no value': 'c0',
    ...Object.fromEntries(
      ['2026-11-21', '2024-02-29', '2000-02-29', '0000-02-29', '0000-01-01', '9999-12-31', '2023-02-28', '2026-04-30', '2026-01-31'].map(
        (text) => [text, short(text)],
      ),
    ),
  },
  refused: {
    ...Object.fromEntries(
      [
        ...['2023-02-29', '1900-02-29', '2026-02-30', '2026-04-31', '2026-13-01', '2026-00-10', '2026-01-00', '2026-01-32'],
        ...['2026-1-1', '2026-11-2', '26-11-21', '-026-11-21', '2026-11-021', '20261-1-21', '2026-11-21 ', '2026/11/21', ''],
        // '/' and ':' are the neighbours of the digits.
        ...['2026-11-2a', '2026-1/-21', '2026-0:-21', '2026-11-2/', '2026-11-1:', '202/-11-21', '202:-11-21'],
      ].map((text) => [`'${text}'`, [short(text), 'not-canonical'] as const]),
    ),
    'a number': ['01', 'unexpected-type'],
    'fewer bytes than promised': ['aa 323032', 'truncated'],
  },
};

const DATE_TIME: ValueExamples = {
  accepted: {
    'no value': 'c0',
    '1970': '00',
    'a second before 1970': 'd1 fc18',
    'the first instant, 0000-01-01T00:00:00.000Z': 'd3 ffffc77590fba000',
    'the last instant, 9999-12-31T23:59:59.999Z': 'cf 0000e677d21fdbff',
  },
  refused: {
    'a millisecond before the first instant': ['d3 ffffc77590fb9fff', 'out-of-range'],
    'a millisecond behind the last instant': ['cf 0000e677d21fdc00', 'out-of-range'],
    'text': [short('1970-01-01'), 'unexpected-type'],
    'a float': ['cb 3ff8000000000000', 'unexpected-type'],
    '0 in two bytes': ['cc 00', 'not-canonical'],
  },
};

const MULTI_PICKLIST: ValueExamples = {
  accepted: {
    'no value': 'c0',
    'one member': `91 ${short('a')}`,
    'members in order': `93 ${short('a')} ${short('ab')} ${short('b')}`,
    'capitals before small letters': `92 ${short('B')} ${short('a')}`,
    'U+FF5E before U+10000, as bytes have it': '92 a3 efbd9e a4 f0908080',
    '15 members': `9f ${Array.from({ length: 15 }, (_, index) => short(String.fromCharCode(97 + index))).join('')}`,
    '16 members': `dc 0010 ${Array.from({ length: 16 }, (_, index) => short(String.fromCharCode(97 + index))).join('')}`,
  },
  refused: {
    'no member': ['90', 'not-canonical'],
    'an empty member': [`91 a0`, 'not-canonical'],
    'a member twice': [`92 ${short('a')} ${short('a')}`, 'not-sorted'],
    'members out of order': [`92 ${short('b')} ${short('a')}`, 'not-sorted'],
    'a longer member before its beginning': [`92 ${short('ab')} ${short('a')}`, 'not-sorted'],
    'U+10000 before U+FF5E, as UTF-16 has it': ['92 a4 f0908080 a3 efbd9e', 'not-sorted'],
    'a member that is no text': ['91 01', 'unexpected-type'],
    'a nil member': ['91 c0', 'unexpected-type'],
    'malformed text': ['91 a1 80', 'bad-utf8'],
    'a header longer than needed': [`dc 0001 ${short('a')}`, 'not-canonical'],
    'a five-byte header': [`dd 00000001 ${short('a')}`, 'not-canonical'],
    'fewer members than promised': [`92 ${short('a')}`, 'truncated'],
    'a count near 2^32': ['dd ffffffff a161', 'truncated'],
    'text': [short('a'), 'unexpected-type'],
    'a map': [`81 ${short('a')} c0`, 'unexpected-type'],
  },
};

const nested = (depth: number, inner: Hex): Hex => '91'.repeat(depth) + inner;
const nestedMaps = (depth: number, inner: Hex): Hex => `81 ${short('k')}`.repeat(depth) + inner;

const JSON_VALUE: ValueExamples = {
  accepted: {
    'no value': 'c0',
    'true': 'c3',
    'false': 'c2',
    'empty text': 'a0',
    '5': '05',
    '1.5': 'cb 3ff8000000000000',
    'an empty array': '90',
    'an empty map': '80',
    'nil in an array': '91 c0',
    'an array that keeps its order': '93 03 01 02',
    'keys in order': `82 ${short('a')} 01 ${short('b')} c0`,
    'an empty key': '81 a0 01',
    'a scalar at depth 16': nested(16, '01'),
    'an empty array at depth 16': nested(16, '90'),
    'a scalar at depth 16 of maps': nestedMaps(16, 'c0'),
  },
  refused: {
    'a scalar at depth 17': [nested(17, '01'), 'too-deep'],
    'a scalar at depth 17 of maps': [nestedMaps(17, 'c0'), 'too-deep'],
    'keys out of order': [`82 ${short('b')} 01 ${short('a')} 02`, 'not-sorted'],
    'a key twice': [`82 ${short('a')} 01 ${short('a')} 01`, 'not-sorted'],
    'a key that is no text': ['81 01 01', 'unexpected-type'],
    'a nil key': ['81 c0 01', 'unexpected-type'],
    'a map header longer than needed': [`de 0001 ${short('a')} 01`, 'not-canonical'],
    'an array header longer than needed': ['dc 0001 01', 'not-canonical'],
    'a number that is not canonical': ['91 cc 01', 'not-canonical'],
    'minus zero': ['91 cb 8000000000000000', 'not-canonical'],
    'a 32-bit float': ['ca 3fc00000', 'not-canonical'],
    'a binary': ['c4 01 61', 'unexpected-type'],
    'an extension': ['d6 ff 00000000', 'unexpected-type'],
    'byte 0xc1': ['91 c1', 'unexpected-type'],
    'malformed text': ['a1 ff', 'bad-utf8'],
    'a malformed key': ['81 a1 ff 01', 'bad-utf8'],
    'a key without a value': [`81 ${short('a')}`, 'truncated'],
    'a map with a count near 2^32': [`df ffffffff ${short('a')} 01`, 'truncated'],
    'an array with a count near 2^32': ['dd ffffffff 01', 'truncated'],
  },
};

const BOOLEAN: ValueExamples = {
  accepted: { 'no value': 'c0', 'false': 'c2', 'true': 'c3' },
  refused: {
    '0': ['00', 'unexpected-type'],
    '1': ['01', 'unexpected-type'],
    'text': [short('true'), 'unexpected-type'],
    'nothing': ['', 'truncated'],
  },
};

const { 'empty text': _emptyText, ...REFUSED_WITHOUT_EMPTY } = TEXT.refused;

/** Every canonical rule with what it accepts and what it refuses. */
export const VALUE_EXAMPLES: Readonly<Record<FieldType, ValueExamples>> = {
  text: TEXT,
  textKeepingEmpty: { accepted: { ...TEXT.accepted, 'empty text': 'a0' }, refused: REFUSED_WITHOUT_EMPTY },
  integer: INTEGER,
  number: NUMBER,
  decimal: DECIMAL,
  boolean: BOOLEAN,
  date: DATE,
  dateTime: DATE_TIME,
  picklist: TEXT,
  multiPicklist: MULTI_PICKLIST,
  reference: TEXT,
  json: JSON_VALUE,
};
