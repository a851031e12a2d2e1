import {
  LAST_INSTANT_MS,
  MAX_SAFE_INTEGER,
  TYPE_BOOLEAN,
  TYPE_DATE,
  TYPE_DATE_TIME,
  TYPE_DECIMAL,
  TYPE_INTEGER,
  TYPE_MULTI_PICKLIST,
  TYPE_NUMBER,
  TYPE_PICKLIST,
  TYPE_REFERENCE,
  TYPE_TEXT,
  TYPE_TEXT_KEEPING_EMPTY,
} from './layout';
import { asciiUntil, big16At, big32At, big64At, byteAt, isBefore, isShortAscii, longAt, shortAt } from './bytes';
import { TAG_ARRAY, TAG_FALSE, TAG_FLOAT64, TAG_NEGATIVE, TAG_NIL, TAG_TEXT, TAG_TEXT8, TAG_TRUE, TAG_UNSIGNED16, TAG_UNSIGNED32, TAG_UNSIGNED64, TAG_UNSIGNED8 } from './msgpack/tags';
import { enterRow, readValue } from './row';
import { measureDecimal } from './text-forms';

// The same rows as row.ts accepts, sooner: what is common is taken at a glance, and only what is not is read with all its rules. So
// nothing here refuses; an answer of 0 means "look closer".

/** Bytes that must follow a value's first byte in its region, so that a glance may load whole words. */
export const GLANCE_BYTES: u32 = 48;

/** Reads a row: an array of one canonical value per field. `types` holds a type code per field, a byte each. */
export function readRowQuickly(at: usize, end: usize, types: usize, fieldCount: u32): usize {
  let next = enterRow(at, end, fieldCount);
  if (next == 0) return 0;
  for (let field: u32 = 0; field < fieldCount; field++) {
    const type = byteAt(types + field);
    let after: usize = 0;
    if (<u32>(end - next) > GLANCE_BYTES) after = byteAt(next) == TAG_NIL ? next + 1 : acceptValue(next, end, type);
    next = after != 0 ? after : readValue(next, end, type);
    if (next == 0) return 0;
  }
  return next;
}

function acceptValue(at: usize, end: usize, type: u32): usize {
  switch (type) {
    case TYPE_TEXT:
    case TYPE_TEXT_KEEPING_EMPTY:
    case TYPE_PICKLIST:
    case TYPE_REFERENCE: return acceptText(at, end);
    case TYPE_INTEGER: return acceptInteger(at);
    case TYPE_NUMBER: return byteAt(at) == TAG_FLOAT64 ? acceptFloat(at) : acceptInteger(at);
    case TYPE_DECIMAL: return acceptDecimal(at);
    case TYPE_BOOLEAN: return byteAt(at) == TAG_FALSE || byteAt(at) == TAG_TRUE ? at + 1 : 0;
    case TYPE_DATE: return acceptDate(at);
    case TYPE_DATE_TIME: return acceptInstant(at);
    case TYPE_MULTI_PICKLIST: return acceptSet(at, end);
    default: return 0;
  }
}

/** A text of 1 to 255 bytes of ASCII. */
export function acceptText(at: usize, end: usize): usize {
  const byteLength = byteAt(at) - TAG_TEXT;
  if (byteLength - 1 < 31) return isShortAscii(at + 1, byteLength) ? at + 1 + byteLength : 0;
  if (byteAt(at) != TAG_TEXT8) return 0;
  const longer = byteAt(at + 1);
  if (longer < 32 || longer > <u32>(end - at) - 2) return 0;
  const next = at + 2 + longer;
  return asciiUntil(at + 2, next) == next ? next : 0;
}

/** A whole number that is not negative, or above −33. */
export function acceptInteger(at: usize): usize {
  const tag = byteAt(at);
  if (tag < 0x80 || tag >= TAG_NEGATIVE) return at + 1;
  switch (tag) {
    case TAG_UNSIGNED8: return byteAt(at + 1) >= 0x80 ? at + 2 : 0;
    case TAG_UNSIGNED16: return big16At(at + 1) >= 0x100 ? at + 3 : 0;
    case TAG_UNSIGNED32: return big32At(at + 1) >= 0x10000 ? at + 5 : 0;
    case TAG_UNSIGNED64: return big64At(at + 1) - 0x100000000 <= <u64>MAX_SAFE_INTEGER - 0x100000000 ? at + 9 : 0;
    default: return 0;
  }
}

function acceptInstant(at: usize): usize {
  // After 1970, as nearly all are; every number of 32 bits is in the range.
  if (byteAt(at) != TAG_UNSIGNED64) return acceptInteger(at);
  const value = big64At(at + 1);
  return value >= 0x100000000 && value <= <u64>LAST_INSTANT_MS ? at + 9 : 0;
}

function acceptFloat(at: usize): usize {
  const value = reinterpret<f64>(big64At(at + 1));
  // No number is less than infinity when it is none.
  return abs(value) < Infinity && trunc(value) != value ? at + 9 : 0;
}

function acceptDecimal(at: usize): usize {
  const byteLength = byteAt(at) - TAG_TEXT;
  return byteLength < 32 && measureDecimal(at + 1, at + 1 + byteLength) != 0 ? at + 1 + byteLength : 0;
}

/** A date up to the 28th of its month. */
function acceptDate(at: usize): usize {
  if (byteAt(at) != TAG_TEXT + 10) return 0;
  // "0000-00-00": what is left of each digit is its value, of each hyphen 0.
  const yearAndMonth = longAt(at + 1) ^ 0x2d30302d30303030;
  const days = shortAt(at + 9) ^ 0x3030;
  const isYearAndMonth = (yearAndMonth & 0xfff0f0fff0f0f0f0) == 0 && ((yearAndMonth + 0x0006060006060606) & 0x00f0f000f0f0f0f0) == 0;
  const month = <u32>(yearAndMonth >> 40 & 15) * 10 + <u32>(yearAndMonth >> 48 & 15);
  const day = (days & 15) * 10 + (days >> 8 & 15);
  const isDay = (days & 0xf0f0) == 0 && (days + 0x0606 & 0xf0f0) == 0;
  return isYearAndMonth && isDay && month - 1 < 12 && day - 1 < 28 ? at + 11 : 0;
}

/** Some short texts of ASCII, each after the one before. */
function acceptSet(at: usize, end: usize): usize {
  const count = byteAt(at) - TAG_ARRAY;
  if (count - 1 >= 15) return 0;
  let next = at + 1, last: usize = 0, lastEnd: usize = 0;
  for (let member: u32 = 0; member < count; member++) {
    if (<u32>(end - next) <= GLANCE_BYTES) return 0;
    const byteLength = byteAt(next) - TAG_TEXT;
    if (byteLength - 1 >= 31 || !isShortAscii(next + 1, byteLength)) return 0;
    const body = next + 1;
    next = body + byteLength;
    if (last != 0 && !isBefore(last, lastEnd, body, next)) return 0;
    last = body;
    lastEnd = next;
  }
  return next;
}
