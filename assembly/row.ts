import {
  FIRST_INSTANT_MS,
  LAST_INSTANT_MS,
  MAX_DECIMAL_DIGITS,
  MAX_JSON_DEPTH,
  MAX_SAFE_INTEGER,
  MAX_TEXT_BYTES,
  STATUS_NOT_CANONICAL,
  STATUS_NOT_SORTED,
  STATUS_OUT_OF_RANGE,
  STATUS_TOO_DEEP,
  STATUS_TOO_LARGE,
  STATUS_TRAILING_BYTES,
  STATUS_TRUNCATED,
  STATUS_UNEXPECTED_TYPE,
  STATUS_WRONG_FIELD_COUNT,
  TYPE_BOOLEAN,
  TYPE_DATE,
  TYPE_DATE_TIME,
  TYPE_DECIMAL,
  TYPE_INTEGER,
  TYPE_JSON,
  TYPE_MULTI_PICKLIST,
  TYPE_NUMBER,
  TYPE_PICKLIST,
  TYPE_REFERENCE,
  TYPE_TEXT,
  TYPE_TEXT_KEEPING_EMPTY,
} from './layout';
import { big64At, byteAt, isBefore } from './bytes';
import { bodyAt, countAt, readAnyText, readArray, readInteger, readMap, readText } from './msgpack/reader';
import {
  TAG_ARRAY,
  TAG_ARRAY16,
  TAG_ARRAY32,
  TAG_FALSE,
  TAG_FLOAT32,
  TAG_FLOAT64,
  TAG_MAP,
  TAG_MAP16,
  TAG_MAP32,
  TAG_NIL,
  TAG_TEXT,
  TAG_TEXT32,
  TAG_TEXT8,
  TAG_TRUE,
} from './msgpack/tags';
import { refuse } from './refusal';
import { isCalendarDate, measureDecimal } from './text-forms';

/** Reads a row: an array of one canonical value per field. `types` holds a type code per field, a byte each. */
export function readRow(at: usize, end: usize, types: usize, fieldCount: u32): usize {
  let next = enterRow(at, end, fieldCount);
  for (let field: u32 = 0; next != 0 && field < fieldCount; field++) next = readValue(next, end, byteAt(types + field));
  return next;
}

/** Reads a row that takes its whole region. */
export function readOnlyRow(at: usize, end: usize, types: usize, fieldCount: u32): usize {
  const next = readRow(at, end, types, fieldCount);
  return next == 0 || next == end ? next : refuse(STATUS_TRAILING_BYTES, next);
}

/** Reads the header of an array of so many values. */
export function enterRow(at: usize, end: usize, valueCount: u32): usize {
  const next = readArray(at, end);
  if (next == 0) return 0;
  return countAt(at) == valueCount ? next : refuse(STATUS_WRONG_FIELD_COUNT, at);
}

/** Reads one value of a field of this type, or "no value". */
export function readValue(at: usize, end: usize, type: u32): usize {
  if (at == end) return refuse(STATUS_TRUNCATED, at);
  const tag = byteAt(at);
  if (tag == TAG_NIL) return at + 1;
  switch (type) {
    case TYPE_TEXT:
    case TYPE_PICKLIST:
    case TYPE_REFERENCE: return readText(at, end, 1, MAX_TEXT_BYTES);
    case TYPE_TEXT_KEEPING_EMPTY: return readText(at, end, 0, MAX_TEXT_BYTES);
    case TYPE_INTEGER: return readInteger(at, end, -MAX_SAFE_INTEGER, MAX_SAFE_INTEGER);
    case TYPE_NUMBER: return readNumber(at, end);
    case TYPE_DECIMAL: return readDecimal(at, end);
    case TYPE_BOOLEAN: return tag == TAG_FALSE || tag == TAG_TRUE ? at + 1 : refuse(STATUS_UNEXPECTED_TYPE, at);
    case TYPE_DATE: return readDate(at, end);
    case TYPE_DATE_TIME: return readInteger(at, end, FIRST_INSTANT_MS, LAST_INSTANT_MS);
    case TYPE_MULTI_PICKLIST: return readSet(at, end);
    case TYPE_JSON: return readJson(at, end, 0);
    default: return refuse(STATUS_UNEXPECTED_TYPE, at);
  }
}

/** Reads a whole number in its integer form, any other finite one as a 64-bit float. */
function readNumber(at: usize, end: usize): usize {
  const tag = byteAt(at);
  if (tag == TAG_FLOAT32) return refuse(STATUS_NOT_CANONICAL, at);
  if (tag != TAG_FLOAT64) return readInteger(at, end, -MAX_SAFE_INTEGER, MAX_SAFE_INTEGER);
  if (end - at < 9) return refuse(STATUS_TRUNCATED, at);
  const value = reinterpret<f64>(big64At(at + 1));
  if (!isFinite(value)) return refuse(STATUS_OUT_OF_RANGE, at);
  const isSafeInteger = abs(value) <= <f64>MAX_SAFE_INTEGER && trunc(value) == value;
  return isSafeInteger ? refuse(STATUS_NOT_CANONICAL, at) : at + 9;
}

function readDecimal(at: usize, end: usize): usize {
  const next = readAnyText(at, end);
  if (next == 0) return 0;
  const digits = measureDecimal(bodyAt(at), next);
  if (digits == 0) return refuse(STATUS_NOT_CANONICAL, at);
  return digits > <u32>MAX_DECIMAL_DIGITS ? refuse(STATUS_TOO_LARGE, at) : next;
}

function readDate(at: usize, end: usize): usize {
  const next = readAnyText(at, end);
  if (next == 0) return 0;
  return isCalendarDate(bodyAt(at), next) ? next : refuse(STATUS_NOT_CANONICAL, at);
}

/** Reads one or more texts, none empty, each after the one before. */
function readSet(at: usize, end: usize): usize {
  let next = readArray(at, end);
  if (next == 0) return 0;
  const count = countAt(at);
  if (count == 0) return refuse(STATUS_NOT_CANONICAL, at);
  let last: usize = 0;
  for (let index: u32 = 0; next != 0 && index < count; index++) {
    const member = next;
    next = readTextAfter(last, member, end, 1);
    last = member;
  }
  return next;
}

/** Reads any JSON value; recursion ends at MAX_JSON_DEPTH. */
function readJson(at: usize, end: usize, depth: i32): usize {
  if (at == end) return refuse(STATUS_TRUNCATED, at);
  const tag = byteAt(at);
  if (tag == TAG_NIL || tag == TAG_FALSE || tag == TAG_TRUE) return at + 1;
  if ((tag >= TAG_TEXT && tag < TAG_NIL) || (tag >= TAG_TEXT8 && tag <= TAG_TEXT32)) return readText(at, end, 0, MAX_TEXT_BYTES);
  if ((tag >= TAG_ARRAY && tag < TAG_TEXT) || tag == TAG_ARRAY16 || tag == TAG_ARRAY32) return readJsonArray(at, end, depth);
  if ((tag >= TAG_MAP && tag < TAG_ARRAY) || tag == TAG_MAP16 || tag == TAG_MAP32) return readJsonMap(at, end, depth);
  return readNumber(at, end);
}

function readJsonArray(at: usize, end: usize, depth: i32): usize {
  let next = readArray(at, end);
  if (next == 0) return 0;
  const count = countAt(at);
  if (count > 0 && depth == MAX_JSON_DEPTH) return refuse(STATUS_TOO_DEEP, at);
  for (let index: u32 = 0; next != 0 && index < count; index++) next = readJson(next, end, depth + 1);
  return next;
}

function readJsonMap(at: usize, end: usize, depth: i32): usize {
  let next = readMap(at, end);
  if (next == 0) return 0;
  const count = countAt(at);
  if (count > 0 && depth == MAX_JSON_DEPTH) return refuse(STATUS_TOO_DEEP, at);
  let last: usize = 0;
  for (let index: u32 = 0; next != 0 && index < count; index++) {
    const key = next;
    next = readTextAfter(last, key, end, 0);
    last = key;
    if (next != 0) next = readJson(next, end, depth + 1);
  }
  return next;
}

/** Reads a text whose bytes come after those of the text at `last`; 0 when it is the first. */
function readTextAfter(last: usize, at: usize, end: usize, fewestBytes: u32): usize {
  const next = readText(at, end, fewestBytes, MAX_TEXT_BYTES);
  if (next == 0 || last == 0) return next;
  const body = bodyAt(last);
  return isBefore(body, body + countAt(last), bodyAt(at), next) ? next : refuse(STATUS_NOT_SORTED, at);
}
