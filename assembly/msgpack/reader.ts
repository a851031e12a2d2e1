import {
  STATUS_BAD_UTF8,
  STATUS_NOT_CANONICAL,
  STATUS_OUT_OF_RANGE,
  STATUS_TOO_LARGE,
  STATUS_TRUNCATED,
  STATUS_UNEXPECTED_TYPE,
} from '../layout';
import { big16At, big32At, big64At, byteAt } from '../bytes';
import { refuse } from '../refusal';
import {
  TAG_ARRAY,
  TAG_ARRAY16,
  TAG_BINARY16,
  TAG_BINARY8,
  TAG_MAP,
  TAG_MAP16,
  TAG_NEGATIVE,
  TAG_SIGNED16,
  TAG_SIGNED32,
  TAG_SIGNED64,
  TAG_SIGNED8,
  TAG_TEXT,
  TAG_TEXT16,
  TAG_TEXT8,
  TAG_UNSIGNED16,
  TAG_UNSIGNED32,
  TAG_UNSIGNED64,
  TAG_UNSIGNED8,
} from './tags';
import { isUtf8 } from './utf8';

// Each reader checks one canonical value from `at` on, where `end` is the end of its region, and answers with the address behind it,
// or 0. What was read is then looked at by functions that trust it: bodyAt, countAt, integerAt.

/** Reads an array's header. */
export function readArray(at: usize, end: usize): usize {
  return readHeader(at, end, TAG_ARRAY, 16, false, TAG_ARRAY16);
}

/** Reads a map's header. */
export function readMap(at: usize, end: usize): usize {
  return readHeader(at, end, TAG_MAP, 16, false, TAG_MAP16);
}

/** Reads a binary with its body. */
export function readBinary(at: usize, end: usize): usize {
  return readBody(at, end, readHeader(at, end, 0, 0, true, TAG_BINARY16));
}

/** Reads a text with its body, whatever that holds. */
export function readAnyText(at: usize, end: usize): usize {
  // Most texts are short; TAG_TEXT and up to 31 more is such a one.
  const byteLength = at < end ? byteAt(at) - TAG_TEXT : u32.MAX_VALUE;
  if (byteLength < 32) return byteLength < <u32>(end - at) ? at + 1 + byteLength : refuse(STATUS_TRUNCATED, at);
  return readBody(at, end, readHeader(at, end, TAG_TEXT, 32, true, TAG_TEXT16));
}

/** Reads a text of well-formed UTF-8 of so many bytes. */
export function readText(at: usize, end: usize, fewestBytes: u32, mostBytes: u32): usize {
  const next = readAnyText(at, end);
  if (next == 0) return 0;
  const body = bodyAt(at);
  const byteLength = <u32>(next - body);
  if (byteLength < fewestBytes) return refuse(STATUS_NOT_CANONICAL, at);
  if (byteLength > mostBytes) return refuse(STATUS_TOO_LARGE, at);
  return isUtf8(body, next) ? next : refuse(STATUS_BAD_UTF8, at);
}

/** Reads a whole number of this range. */
export function readInteger(at: usize, end: usize, smallest: i64, largest: i64): usize {
  const next = readAnyInteger(at, end);
  if (next == 0) return 0;
  // Above 2^63 it reads as negative, of the unsigned family.
  const value = integerAt(at);
  const isHuge = byteAt(at) == TAG_UNSIGNED64 && value < 0;
  return isHuge || value < smallest || value > largest ? refuse(STATUS_OUT_OF_RANGE, at) : next;
}

/** Where the body of a text or binary begins, or the first member of an array or map. */
export function bodyAt(at: usize): usize {
  return at + 1 + lengthBytes(byteAt(at));
}

/** The count of an array or map, the byte length of a text or binary. */
export function countAt(at: usize): u32 {
  const tag = byteAt(at);
  switch (lengthBytes(tag)) {
    case 1: return byteAt(at + 1);
    case 2: return big16At(at + 1);
    case 4: return big32At(at + 1);
    default: return tag < TAG_TEXT ? tag & 15 : tag & 31;
  }
}

/** The whole number at an address; as if signed when it is above 2^63. */
export function integerAt(at: usize): i64 {
  const tag = byteAt(at);
  switch (tag) {
    case TAG_UNSIGNED8: return byteAt(at + 1);
    case TAG_UNSIGNED16: return big16At(at + 1);
    case TAG_UNSIGNED32: return big32At(at + 1);
    case TAG_SIGNED8: return <i64><i8>byteAt(at + 1);
    case TAG_SIGNED16: return <i64><i16>big16At(at + 1);
    case TAG_SIGNED32: return <i64><i32>big32At(at + 1);
    case TAG_UNSIGNED64:
    case TAG_SIGNED64: return <i64>big64At(at + 1);
    default: return <i64><i8>tag;
  }
}

/** Bytes of the length that stands behind a tag of a text, binary, array or map; 0 when the tag itself has it. */
function lengthBytes(tag: u32): u32 {
  if (tag < TAG_BINARY8) return 0;
  // The tags with 1, 2 and 4 bytes follow each other; arrays and maps have none with 1.
  if (tag >= TAG_ARRAY16) return 2 << (tag & 1);
  return 1 << (tag >= TAG_TEXT8 ? tag - TAG_TEXT8 : tag - TAG_BINARY8);
}

/**
 * Reads the header of a text, binary, array or map: lengths below `fixedBelow` are in the tag, from `fixed` on; the others stand behind
 * `tag16` in two bytes, behind the next tag in four, and behind the one before in one byte, where there is such a tag.
 */
function readHeader(at: usize, end: usize, fixed: u32, fixedBelow: u32, hasTag8: bool, tag16: u32): usize {
  if (at == end) return refuse(STATUS_TRUNCATED, at);
  const tag = byteAt(at);
  if (tag >= fixed && tag < fixed + fixedBelow) return at + 1;
  if (tag != tag16 && tag != tag16 + 1 && !(hasTag8 && tag == tag16 - 1)) return refuse(STATUS_UNEXPECTED_TYPE, at);
  const size = lengthBytes(tag);
  if (<u32>(end - at) <= size) return refuse(STATUS_TRUNCATED, at);
  const shortest: u32 = size == 4 ? 0x10000 : size == 2 && hasTag8 ? 0x100 : fixedBelow;
  return countAt(at) < shortest ? refuse(STATUS_NOT_CANONICAL, at) : at + 1 + size;
}

function readBody(at: usize, end: usize, body: usize): usize {
  if (body == 0) return 0;
  const byteLength = countAt(at);
  return byteLength > <u32>(end - body) ? refuse(STATUS_TRUNCATED, at) : body + byteLength;
}

function readAnyInteger(at: usize, end: usize): usize {
  if (at == end) return refuse(STATUS_TRUNCATED, at);
  const tag = byteAt(at);
  if (tag < TAG_MAP || tag >= TAG_NEGATIVE) return at + 1;
  if (tag < TAG_UNSIGNED8 || tag > TAG_SIGNED64) return refuse(STATUS_UNEXPECTED_TYPE, at);
  const size: u32 = 1 << (tag & 3);
  if (<u32>(end - at) <= size) return refuse(STATUS_TRUNCATED, at);
  return isShortest(tag, integerAt(at)) ? at + 1 + size : refuse(STATUS_NOT_CANONICAL, at);
}

/** A number in a form that a shorter one could hold is refused: one number has one encoding. */
function isShortest(tag: u32, value: i64): bool {
  switch (tag) {
    case TAG_UNSIGNED8: return value >= 0x80;
    case TAG_UNSIGNED16: return value >= 0x100;
    case TAG_UNSIGNED32: return value >= 0x10000;
    case TAG_UNSIGNED64: return <u64>value >= 0x100000000;
    case TAG_SIGNED8: return value < -0x20;
    case TAG_SIGNED16: return value < -0x80;
    case TAG_SIGNED32: return value < -0x8000;
    default: return value < -0x80000000;
  }
}
