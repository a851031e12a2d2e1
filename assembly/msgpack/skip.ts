import { STATUS_TOO_MANY, STATUS_TRUNCATED, STATUS_UNEXPECTED_TYPE } from '../layout';
import { big16At, big32At, byteAt } from '../bytes';
import { refuse } from '../refusal';
import {
  TAG_ARRAY,
  TAG_ARRAY16,
  TAG_ARRAY32,
  TAG_BINARY16,
  TAG_BINARY32,
  TAG_BINARY8,
  TAG_MAP,
  TAG_MAP16,
  TAG_MAP32,
  TAG_TEXT,
  TAG_TEXT16,
  TAG_TEXT32,
  TAG_TEXT8,
} from './tags';

// Bytes of a whole value by its tag; 0 where the tag does not tell: longer texts, binaries, arrays and maps with members, and the
// tags that are refused.
const SIZES: usize = memory.data<u8>([
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 0x00
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 0x10
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 0x20
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 0x30
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 0x40
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 0x50
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 0x60
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 0x70
  1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 0x80
  1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 0x90
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, // 0xa0
  17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, // 0xb0
  1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 5, 9, 2, 3, 5, 9, // 0xc0
  2, 3, 5, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 0xd0
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 0xe0
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, // 0xf0
]);

/** Bytes of the value at an address when its tag tells; else 0. */
export function sizeByTag(at: usize): u32 {
  return byteAt(SIZES + byteAt(at));
}

/** Steps over one value with all its members. */
export function skipValue(at: usize, end: usize): usize {
  // Every value still to come takes a byte at least, or it is refused: the sum stays far below 2^64.
  let left: u64 = 1;
  do {
    const size = at < end ? sizeByTag(at) : 0;
    if (size != 0 && size <= <u32>(end - at)) {
      at += size;
    } else {
      const next = skipHead(at, end);
      if (next == 0) return 0;
      left += membersAt(at);
      at = next;
    }
    left--;
  } while (left > 0);
  return at;
}

/** Steps over so many values, most of them at a glance. */
export function skipValues(at: usize, end: usize, count: u32): usize {
  let left: u64 = count;
  while (left > 0) {
    if (at >= end) return refuse(STATUS_TRUNCATED, at);
    const size = sizeByTag(at);
    if (size != 0) {
      at += size;
      left--;
      continue;
    }
    // Short arrays and texts of less than 256 bytes are common.
    const tag = byteAt(at), members = tag - TAG_ARRAY;
    if (members < 16 && members < <u32>(end - at)) {
      at++;
      left += members - 1;
    } else if (tag == TAG_TEXT8 && end - at > 1) {
      at += 2 + byteAt(at + 1);
      left--;
    } else {
      const next = skipHead(at, end);
      if (next == 0) return 0;
      left += membersAt(at) - 1;
      at = next;
    }
  }
  return at <= end ? at : refuse(STATUS_TRUNCATED, at);
}

/** Steps over one value without its members: a tag and what belongs to it. Members must fit in the bytes left, one byte each. */
export function skipHead(at: usize, end: usize): usize {
  if (at == end) return refuse(STATUS_TRUNCATED, at);
  const left = <u64>(end - at);
  const size = headBytes(at, left);
  if (size == 0) return refuse(STATUS_UNEXPECTED_TYPE, at);
  if (size > left) return refuse(STATUS_TRUNCATED, at);
  if (membersAt(at) > left - size) return refuse(STATUS_TOO_MANY, at);
  return at + <usize>size;
}

/** Bytes of a value without its members; 0 when no value begins so. */
function headBytes(at: usize, left: u64): u64 {
  const tag = byteAt(at);
  const size = byteAt(SIZES + tag);
  if (size != 0) return size;
  if (tag < TAG_TEXT) return 1;
  switch (tag) {
    case TAG_BINARY8:
    case TAG_TEXT8: return left < 2 ? 2 : 2 + <u64>byteAt(at + 1);
    case TAG_BINARY16:
    case TAG_TEXT16: return left < 3 ? 3 : 3 + <u64>big16At(at + 1);
    case TAG_BINARY32:
    case TAG_TEXT32: return left < 5 ? 5 : 5 + <u64>big32At(at + 1);
    case TAG_ARRAY16:
    case TAG_MAP16: return 3;
    case TAG_ARRAY32:
    case TAG_MAP32: return 5;
    // 0xc1 begins nothing, the others are extension types.
    default: return 0;
  }
}

/** How many values follow as members of the one at an address, whose header has been checked. */
export function membersAt(at: usize): u64 {
  const tag = byteAt(at);
  if (tag < TAG_MAP || tag > TAG_MAP32) return 0;
  if (tag < TAG_ARRAY) return <u64>(tag & 15) * 2;
  if (tag < TAG_TEXT) return tag & 15;
  switch (tag) {
    case TAG_ARRAY16: return big16At(at + 1);
    case TAG_ARRAY32: return big32At(at + 1);
    case TAG_MAP16: return <u64>big16At(at + 1) * 2;
    case TAG_MAP32: return <u64>big32At(at + 1) * 2;
    default: return 0;
  }
}
