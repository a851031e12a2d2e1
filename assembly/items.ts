import {
  CHANGE_EPOCH,
  CHANGE_ID_AT,
  CHANGE_LAYOUT,
  CHANGE_MASK_AT,
  CHANGE_N_LOW,
  CHANGE_NEXT_AT,
  CHANGE_OP,
  CHANGE_PREVIOUS_AT,
  CHANGE_WORDS,
  IMAGE_EPOCH,
  IMAGE_ID_AT,
  IMAGE_LAYOUT,
  IMAGE_N_LOW,
  IMAGE_ROW_AT,
  IMAGE_STATE,
  IMAGE_WORDS,
  MAX_EPOCH,
  MAX_ID_BYTES,
  MAX_SAFE_INTEGER,
  OP_CREATE,
  OP_REMOVE,
  OP_UPDATE,
  RESULT_WORDS,
  STATE_HIDDEN,
  STATE_LIVE,
  STATUS_BAD_MASK,
  STATUS_BAD_STATE,
  STATUS_TRUNCATED,
  STATUS_UNEXPECTED_TYPE,
  STATUS_UNKNOWN_LAYOUT,
} from './layout';
import { byteAt, setWord } from './bytes';
import { areLayouts, fieldCountOf, layoutAt, layoutCount, typesOf } from './layouts';
import { countInMask, isInMask, isMaskOf, maskBytes } from './mask';
import { bodyAt, countAt, integerAt, readArray, readBinary, readInteger, readText } from './msgpack/reader';
import { TAG_NIL } from './msgpack/tags';
import { endFull, endOk, endRefused, refuse } from './refusal';
import { firstRegion, OUTSIDE, regionAfter } from './regions';
import { enterRow, readRow, readValue } from './row';

/** Says whether the regions of a call that indexes items are in memory and in order, and its layouts sound. */
export function areIndexRegions(
  items: usize, itemsBytes: u32, layouts: usize, layoutsBytes: u32, result: usize, index: usize, indexBytes: u32, start: u32,
): bool {
  let end = firstRegion(items, itemsBytes);
  end = regionAfter(end, layouts, layoutsBytes);
  end = regionAfter(end, result, RESULT_WORDS * 4);
  end = regionAfter(end, index, indexBytes);
  return end != OUTSIDE && start <= itemsBytes && areLayouts(layouts, layoutsBytes);
}

/** Checks images from `at` on and writes an entry for each, as far as there is room. */
export function indexImages(items: usize, at: usize, end: usize, layouts: usize, index: usize, indexBytes: u32, result: usize): i32 {
  let count: u32 = 0;
  for (; at < end; count++) {
    if (<u64>(count + 1) * IMAGE_WORDS * 4 > indexBytes) return endFull(<u32>(at - items), count, result);
    at = indexImage(items, at, end, layouts, index + count * IMAGE_WORDS * 4);
    if (at == 0) return endRefused(items, result);
  }
  return endOk(count, result);
}

/** Checks changes in the same way. */
export function indexChanges(items: usize, at: usize, end: usize, layouts: usize, index: usize, indexBytes: u32, result: usize): i32 {
  let count: u32 = 0;
  for (; at < end; count++) {
    if (<u64>(count + 1) * CHANGE_WORDS * 4 > indexBytes) return endFull(<u32>(at - items), count, result);
    at = indexChange(items, at, end, layouts, index + count * CHANGE_WORDS * 4);
    if (at == 0) return endRefused(items, result);
  }
  return endOk(count, result);
}

/** Checks the image `[layout, id, epoch, n, state, row]` at `at`, writes its entry and answers with where the next item begins. */
export function indexImage(items: usize, at: usize, end: usize, layouts: usize, entry: usize): usize {
  const numberAt = readItemHeader(at, end, 6);
  const idAt = readLayoutNumber(numberAt, end, layouts);
  const epochAt = readId(idAt, end);
  const nAt = readWithin(epochAt, end, 0, MAX_EPOCH);
  const stateAt = readWithin(nAt, end, 1, MAX_SAFE_INTEGER);
  const rowAt = readCode(stateAt, end, STATE_HIDDEN);
  if (rowAt == 0) return 0;
  const layout = layoutAt(layouts, <u32>integerAt(numberAt));
  const state = <u32>integerAt(stateAt);
  const hasRow = state == STATE_LIVE;
  let next = enterPart(rowAt, end, hasRow);
  if (next != 0 && hasRow) next = readRow(rowAt, end, typesOf(layouts, layout), fieldCountOf(layout));
  if (next == 0) return 0;
  setEntry(entry, IMAGE_LAYOUT, <u32>integerAt(numberAt));
  setPart(entry, IMAGE_ID_AT, true, items, idAt, epochAt);
  setEntry(entry, IMAGE_EPOCH, <u32>integerAt(epochAt));
  setLong(entry, IMAGE_N_LOW, integerAt(nAt));
  setEntry(entry, IMAGE_STATE, state);
  setPart(entry, IMAGE_ROW_AT, hasRow, items, rowAt, next);
  return next;
}

/** Checks the change `[layout, id, op, epoch, n, mask, previous, next]` at `at` and writes its entry. */
function indexChange(items: usize, at: usize, end: usize, layouts: usize, entry: usize): usize {
  const numberAt = readItemHeader(at, end, 8);
  const idAt = readLayoutNumber(numberAt, end, layouts);
  const opAt = readId(idAt, end);
  const epochAt = readCode(opAt, end, OP_REMOVE);
  const nAt = readWithin(epochAt, end, 0, MAX_EPOCH);
  const maskAt = readWithin(nAt, end, 0, MAX_SAFE_INTEGER);
  if (maskAt == 0) return 0;
  const layout = layoutAt(layouts, <u32>integerAt(numberAt));
  const types = typesOf(layouts, layout), fieldCount = fieldCountOf(layout);
  const op = <u32>integerAt(opAt);
  const hasPrevious = op != OP_CREATE, hasNext = op != OP_REMOVE;
  const previousAt = readMask(maskAt, end, op, fieldCount);
  if (previousAt == 0) return 0;
  const mask = bodyAt(maskAt);
  let nextAt = enterPart(previousAt, end, hasPrevious);
  if (nextAt != 0 && hasPrevious) nextAt = readMasked(previousAt, end, types, fieldCount, mask);
  let next = enterPart(nextAt, end, hasNext);
  if (next != 0 && hasNext) next = op == OP_CREATE ? readRow(nextAt, end, types, fieldCount) : readMasked(nextAt, end, types, fieldCount, mask);
  if (next == 0) return 0;
  setEntry(entry, CHANGE_LAYOUT, <u32>integerAt(numberAt));
  setPart(entry, CHANGE_ID_AT, true, items, idAt, opAt);
  setEntry(entry, CHANGE_OP, op);
  setEntry(entry, CHANGE_EPOCH, <u32>integerAt(epochAt));
  setLong(entry, CHANGE_N_LOW, integerAt(nAt));
  setPart(entry, CHANGE_MASK_AT, hasPrevious, items, mask, previousAt);
  setPart(entry, CHANGE_PREVIOUS_AT, hasPrevious, items, previousAt, nextAt);
  setPart(entry, CHANGE_NEXT_AT, hasNext, items, nextAt, next);
  return next;
}

/** Reads an array of values for the fields of a mask, in layout order. */
function readMasked(at: usize, end: usize, types: usize, fieldCount: u32, mask: usize): usize {
  let next = enterRow(at, end, countInMask(mask, fieldCount));
  for (let field: u32 = 0; next != 0 && field < fieldCount; field++) {
    if (isInMask(mask, field)) next = readValue(next, end, byteAt(types + field));
  }
  return next;
}

/** Reads the mask of an update or a remove, the nil of a create. */
function readMask(at: usize, end: usize, op: u32, fieldCount: u32): usize {
  if (at == end) return refuse(STATUS_TRUNCATED, at);
  const isNil = byteAt(at) == TAG_NIL;
  if (isNil != (op == OP_CREATE)) return refuse(STATUS_BAD_MASK, at);
  if (isNil) return at + 1;
  const next = readBinary(at, end);
  if (next == 0) return 0;
  const mask = bodyAt(at);
  if (countAt(at) != maskBytes(fieldCount) || !isMaskOf(mask, fieldCount)) return refuse(STATUS_BAD_MASK, at);
  return op == OP_UPDATE && countInMask(mask, fieldCount) == 0 ? refuse(STATUS_BAD_MASK, at) : next;
}

// The readers below pass a 0 on: a refusal falls through the rest of the item.

function readItemHeader(at: usize, end: usize, members: u32): usize {
  const next = readArray(at, end);
  if (next == 0) return 0;
  return countAt(at) == members ? next : refuse(STATUS_UNEXPECTED_TYPE, at);
}

function readLayoutNumber(at: usize, end: usize, layouts: usize): usize {
  const next = readWithin(at, end, -MAX_SAFE_INTEGER, MAX_SAFE_INTEGER);
  if (next == 0) return 0;
  const number = integerAt(at);
  return number >= 0 && number < <i64>layoutCount(layouts) ? next : refuse(STATUS_UNKNOWN_LAYOUT, at);
}

function readId(at: usize, end: usize): usize {
  return at == 0 ? 0 : readText(at, end, 1, MAX_ID_BYTES);
}

function readWithin(at: usize, end: usize, smallest: i64, largest: i64): usize {
  return at == 0 ? 0 : readInteger(at, end, smallest, largest);
}

function readCode(at: usize, end: usize, last: i64): usize {
  const next = readWithin(at, end, -MAX_SAFE_INTEGER, MAX_SAFE_INTEGER);
  if (next == 0) return 0;
  const code = integerAt(at);
  return code >= 0 && code <= last ? next : refuse(STATUS_BAD_STATE, at);
}

/** Steps over the nil of a part that is absent, and stays before one that is present. */
function enterPart(at: usize, end: usize, isPresent: bool): usize {
  if (at == 0) return 0;
  if (at == end) return refuse(STATUS_TRUNCATED, at);
  const isNil = byteAt(at) == TAG_NIL;
  if (isNil == isPresent) return refuse(STATUS_BAD_STATE, at);
  return isNil ? at + 1 : at;
}

function setEntry(entry: usize, word: usize, value: u32): void {
  setWord(entry + word * 4, value);
}

function setLong(entry: usize, word: usize, value: i64): void {
  setEntry(entry, word, <u32>value);
  setEntry(entry, word + 1, <u32>(value >> 32));
}

/** Writes where a part begins and its byte length, or two zeros when it is absent. */
function setPart(entry: usize, word: usize, isPresent: bool, items: usize, from: usize, to: usize): void {
  setEntry(entry, word, isPresent ? <u32>(from - items) : 0);
  setEntry(entry, word + 1, isPresent ? <u32>(to - from) : 0);
}
