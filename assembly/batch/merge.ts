import {
  ATTENTION_CARE,
  ATTENTION_INCOMPLETE,
  BATCH_NEWEST,
  BEGINNING_WORDS,
  MERGED_WORDS,
  FLAG_STALE,
  HELD_WORDS,
  IMAGE_EPOCH,
  IMAGE_LAYOUT,
  IMAGE_STATE,
  MAX_EPOCH,
  MAX_SAFE_INTEGER,
  MERGE_WORDS,
  NEED_EPOCH,
  NEED_GROUP,
  NEED_HELD_EPOCH,
  NEED_IMAGE,
  NEED_WORDS,
  NO_INDEX,
  STATE_LIVE,
  STATUS_BAD_STATE,
  STATUS_NOT_CANONICAL,
  STATUS_NOT_SORTED,
  STATUS_TRUNCATED,
  STATUS_WRONG_FIELD_COUNT,
  VERDICT_CARE,
  VERDICT_MERGE,
  VERDICT_STALE,
  VERDICT_SUPERSEDED,
} from '../layout';
import { byteAt, clear, isSame, setByte, setWord, wordAt } from '../bytes';
import { areLayouts, layoutCount } from '../layouts';
import { countAt, integerAt, readArray, readInteger, readText } from '../msgpack/reader';
import { isUtf8 } from '../msgpack/utf8';
import { compareVersions, verdictOfFlags } from '../plan';
import { refuse } from '../refusal';
import { firstRegion, OUTSIDE, regionAfter } from '../regions';
import { compareIds } from './ids';
import { ENTRY_BYTES } from './index-batch';
import { dataOf, isBlock, isIdInside, keyEndOf, rowCount, startOf, valueEndOf } from './row-block';

const MEMBERS: u32 = 5;
const NAME_BYTES: u32 = 255;
const TEXT_OF_4: u32 = 0xa4;
const LIVE: u32 = 0x6576696c; // "live"
const FLAGS: u32 = 31;

/** So many records are touched together before they are compared: then memory brings them at the same time, not one after another. */
const AHEAD: u32 = 16;

/** What a batch is merged with, as layout.ts draws it. */
@unmanaged
export class Merge {
  layouts: usize;
  layoutsBytes: u32;
  beginnings: usize;
  beginningsBytes: u32;
  entries: usize;
  count: u32;
  order: usize;
  recordCount: u32;
  flags: usize;
  held: usize;
  groupOf: usize;
  needs: usize;
  needCount: u32;
  groups: usize;
  groupCount: u32;
  mergesEqual: u32;
  verdicts: usize;
  changes: usize;
}

// The class and the drawing agree, or the build stops.
if (offsetof<Merge>() != MERGE_WORDS * 4) ERROR('Merge has another size in layout.ts');

/** Where the regions of a merge end, up to its changes; OUTSIDE when they are not where they may be, or its layouts are none. */
export function mergeEnd(merge: usize): u64 {
  const block = firstRegion(merge, MERGE_WORDS * 4);
  if (block == OUTSIDE) return OUTSIDE;
  const input = changetype<Merge>(merge);
  let end = regionAfter(block, input.layouts, input.layoutsBytes);
  end = regionAfter(end, input.beginnings, input.beginningsBytes);
  end = regionAfter(end, input.entries, <u64>input.count * ENTRY_BYTES);
  end = regionAfter(end, input.order, <u64>input.recordCount * 4);
  end = regionAfter(end, input.flags, input.count);
  end = regionAfter(end, input.held, <u64>input.recordCount * HELD_WORDS * 4);
  end = regionAfter(end, input.groupOf, input.groupCount == 0 ? 0 : <u64>input.count * 4);
  end = regionAfter(end, input.needs, <u64>input.needCount * NEED_WORDS * 4);
  end = regionAfter(end, input.groups, <u64>input.groupCount * 4);
  end = regionAfter(end, input.verdicts, input.count);
  end = regionAfter(end, input.changes, <u64>input.recordCount * MERGED_WORDS * 4);
  return end != OUTSIDE && areLayouts(input.layouts, input.layoutsBytes) && areBeginnings(input) ? end : OUTSIDE;
}

function areBeginnings(merge: Merge): bool {
  const count = layoutCount(merge.layouts);
  if (<u64>count * BEGINNING_WORDS * 4 > merge.beginningsBytes) return false;
  for (let layout: u32 = 0; layout < count; layout++) {
    const entry = merge.beginnings + layout * BEGINNING_WORDS * 4;
    if (<u64>wordAt(entry) + wordAt(entry + 4) > merge.beginningsBytes) return false;
  }
  return true;
}

/** Where the bytes that stored images of a layout begin with are. */
export function beginningOf(merge: Merge, layout: u32): usize {
  return merge.beginnings + wordAt(merge.beginnings + layout * BEGINNING_WORDS * 4);
}

export function beginningEnd(merge: Merge, layout: u32): usize {
  return beginningOf(merge, layout) + wordAt(merge.beginnings + layout * BEGINNING_WORDS * 4 + 4);
}

/** The newest image of the record at a place of the order, or NO_INDEX when the index is none. */
export function imageOf(merge: Merge, place: u32): u32 {
  const image = wordAt(merge.order + place * 4);
  return image < merge.count && wordAt(entryOf(merge, image) + IMAGE_LAYOUT * 4) < layoutCount(merge.layouts) ? image : NO_INDEX;
}

export function entryOf(merge: Merge, image: u32): usize {
  return merge.entries + image * ENTRY_BYTES;
}

/** Nothing is held, nothing in the way: each image that is not live needs care. */
export function begin(merge: Merge): void {
  memory.fill(merge.held, 0xff, merge.recordCount * HELD_WORDS * 4);
  clear(merge.verdicts, merge.count);
  for (let image: u32 = 0; image < merge.count; image++) setByte(merge.flags + image, 0);
}

/** What joining a block came to: the place of the next record to look for, and how many rows no image is about. */
export let nextPlace: u32 = 0;
export let absentCount: u32 = 0;

/** Keeps compilers from leaving out what is only touched; nobody reads it for what it says. */
export let touched: u32 = 0;

/**
 * Finds what a block holds of the records of an object. `ids` is the row block of the object's ids, the first of which is the record at
 * `first`; those before `from` come before the block. Notes the rows that no image is about in `absent`, unless that is 0.
 *
 * @returns 0 when the bytes are no block, or a row that an image is about is no stored image; else the end of the block.
 */
export function joinRows(merge: Merge, ids: usize, idsEnd: usize, first: u32, from: u32, block: usize, blockEnd: usize, number: u32, absent: usize): usize {
  const count = rowCount(block), data = dataOf(block), idsData = dataOf(ids), recordCount = rowCount(ids);
  const dataBytes = <u32>(blockEnd - data);
  let place = from, missing: u32 = 0;
  let end: u32 = 0, last: usize = 0, lastEnd: usize = 0, touchedTo = from;
  for (let row: u32 = 0; row < count; row++) {
    const keyEnd = keyEndOf(block, row), valueEnd = valueEndOf(block, row);
    if (keyEnd < end || valueEnd < keyEnd || valueEnd > dataBytes) return refuse(STATUS_TRUNCATED, block);
    const id = data + end, idEnd = data + keyEnd;
    if (row > 0 && compareIds(last, lastEnd, id, idEnd) >= 0) return refuse(STATUS_NOT_SORTED, id);
    if (!isUtf8(id, idEnd)) return refuse(STATUS_NOT_CANONICAL, id);
    let order: i32 = 1;
    if (place >= touchedTo) {
      touchedTo = place + AHEAD;
      touched = touch(merge, first + place);
    }
    while (place < recordCount) {
      if (!isIdInside(ids, idsEnd, place)) return refuse(STATUS_TRUNCATED, ids);
      order = compareIds(idsData + startOf(ids, place), idsData + keyEndOf(ids, place), id, idEnd);
      if (order >= 0) break;
      place++;
      order = 1;
    }
    if (order == 0) {
      if (!meet(merge, first + place, idEnd, data + valueEnd, number, row)) return 0;
      place++;
    } else if (absent != 0) {
      setWord(absent + missing * 4, row);
      missing++;
    }
    last = id;
    lastEnd = idEnd;
    end = valueEnd;
  }
  nextPlace = place;
  absentCount = missing;
  return end == dataBytes ? blockEnd : refuse(STATUS_TRUNCATED, block);
}

/** Looks at the entries of the next records, wherever they lie. */
function touch(merge: Merge, place: u32): u32 {
  const end = min(place + AHEAD, merge.recordCount);
  let sum: u32 = 0;
  for (; place < end; place++) {
    const image = wordAt(merge.order + place * 4);
    if (image < merge.count) sum += wordAt(entryOf(merge, image));
  }
  return sum;
}

/** Compares the newest image of a record with what is held of it. */
function meet(merge: Merge, place: u32, value: usize, valueEnd: usize, number: u32, row: u32): bool {
  const image = place < merge.recordCount ? imageOf(merge, place) : <u32>NO_INDEX;
  if (image == NO_INDEX) return refuse(STATUS_TRUNCATED, value) != 0;
  const entry = entryOf(merge, image);
  const layout = wordAt(entry + IMAGE_LAYOUT * 4);
  const beginning = beginningOf(merge, layout), beginningBytes = beginningEnd(merge, layout) - beginning;
  let epochAt = value + beginningBytes;
  const isOfLayout = valueEnd - value > beginningBytes && isSame(value, epochAt, beginning, beginning + beginningBytes);
  if (!isOfLayout) epochAt = readBeginning(value, valueEnd);
  const nAt: usize = epochAt == 0 ? 0 : readInteger(epochAt, valueEnd, 0, MAX_EPOCH);
  const stateAt: usize = nAt == 0 ? 0 : readInteger(nAt, valueEnd, 0, MAX_SAFE_INTEGER);
  const rowAt: usize = stateAt == 0 ? 0 : readText(stateAt, valueEnd, 1, NAME_BYTES);
  if (rowAt == 0) return false;
  if (rowAt == valueEnd) return refuse(STATUS_BAD_STATE, stateAt) != 0;
  const difference = compareWith(entry, <u32>integerAt(epochAt), <u64>integerAt(nAt));
  const isStale = difference < 0 || (difference == 0 && merge.mergesEqual == 0);
  const isLive = byteAt(stateAt) == TEXT_OF_4 && wordAt(stateAt + 1) == LIVE;
  const mark = merge.flags + image;
  if (isStale) setByte(mark, byteAt(mark) | FLAG_STALE);
  else if (!isOfLayout || !isLive) setByte(mark, byteAt(mark) | ATTENTION_CARE);
  const held = merge.held + place * HELD_WORDS * 4;
  setWord(held, number);
  setWord(held + 4, row);
  return true;
}

function readBeginning(value: usize, valueEnd: usize): usize {
  const hashAt = readArray(value, valueEnd);
  if (hashAt == 0) return 0;
  if (countAt(value) != MEMBERS) return refuse(STATUS_WRONG_FIELD_COUNT, value);
  return readText(hashAt, valueEnd, 1, NAME_BYTES);
}

function compareWith(entry: usize, epoch: u32, n: u64): i32 {
  const ours = wordAt(entry + IMAGE_EPOCH * 4);
  if (ours != epoch) return ours < epoch ? -1 : 1;
  const ourN = <u64>wordAt(entry + (IMAGE_EPOCH + 1) * 4) | (<u64>wordAt(entry + (IMAGE_EPOCH + 2) * 4) << 32);
  return ourN < n ? -1 : i32(ourN > n);
}

/** Adds the bits of attention of an object's records, as a row block has them; false when that is none, or has no byte for a record. */
export function noteAttention(merge: Merge, ids: usize, idsEnd: usize, first: u32, block: usize, blockEnd: usize): bool {
  const count = rowCount(block), data = dataOf(block), idsData = dataOf(ids);
  let end: u32 = 0, last: usize = 0, lastEnd: usize = 0;
  for (let row: u32 = 0, from: u32 = 0; row < count; row++) {
    const keyEnd = keyEndOf(block, row), valueEnd = valueEndOf(block, row);
    if (keyEnd < end || valueEnd != keyEnd + 1 || valueEnd > <u32>(blockEnd - data)) return false;
    const id = data + end, idEnd = data + keyEnd;
    if ((row > 0 && compareIds(last, lastEnd, id, idEnd) >= 0) || !isUtf8(id, idEnd)) return false;
    from = firstNotBelow(ids, idsEnd, from, id, idEnd);
    if (from == NO_INDEX) return false;
    if (from < rowCount(ids) && compareIds(idsData + startOf(ids, from), idsData + keyEndOf(ids, from), id, idEnd) == 0) {
      const image = first + from < merge.recordCount ? imageOf(merge, first + from) : <u32>NO_INDEX;
      if (image == NO_INDEX) return false;
      setByte(merge.flags + image, byteAt(merge.flags + image) | (byteAt(idEnd) & FLAGS));
    }
    last = id;
    lastEnd = idEnd;
    end = valueEnd;
  }
  return end == <u32>(blockEnd - data);
}

/** The first row from `from` on whose id is not below; NO_INDEX when the block is none. */
function firstNotBelow(ids: usize, idsEnd: usize, from: u32, id: usize, idEnd: usize): u32 {
  const data = dataOf(ids);
  let low = from, step: u32 = 1, high = rowCount(ids);
  // In steps that double, since the next one is near as a rule, and then by halves.
  while (step < high - low) {
    if (!isIdInside(ids, idsEnd, low + step)) return NO_INDEX;
    if (compareIds(data + startOf(ids, low + step), data + keyEndOf(ids, low + step), id, idEnd) >= 0) {
      high = low + step;
      break;
    }
    low += step;
    step *= 2;
  }
  while (low < high) {
    const middle = low + (high - low) / 2;
    if (!isIdInside(ids, idsEnd, middle)) return NO_INDEX;
    if (compareIds(data + startOf(ids, middle), data + keyEndOf(ids, middle), id, idEnd) < 0) low = middle + 1;
    else high = middle;
  }
  return low < rowCount(ids) && !isIdInside(ids, idsEnd, low) ? NO_INDEX : low;
}

/** Decides about each image, and lists those to merge in the order of their records; answers with how many, NO_INDEX for an index that is none. */
export function decide(merge: Merge): u32 {
  for (let place: u32 = 0; place < merge.recordCount; place++) {
    const image = imageOf(merge, place);
    if (image == NO_INDEX) return NO_INDEX;
    const mark = merge.flags + image;
    if (wordAt(entryOf(merge, image) + IMAGE_STATE * 4) != STATE_LIVE && (byteAt(mark) & FLAG_STALE) == 0) setByte(mark, byteAt(mark) | ATTENTION_CARE);
  }
  if (!gatherGroups(merge)) return NO_INDEX;
  for (let image: u32 = 0; image < merge.count; image++) setByte(merge.verdicts + image, verdictOf(merge, image));
  return listChanges(merge);
}

/** What is in the way of each group: whatever is in the way of one of its records, also where a newer image of it stands elsewhere. */
function gatherGroups(merge: Merge): bool {
  for (let index: u32 = 0; index < merge.needCount; index++) {
    const need = merge.needs + index * NEED_WORDS * 4;
    const group = wordAt(need + NEED_GROUP * 4), image = wordAt(need + NEED_IMAGE * 4);
    if (group >= merge.groupCount || (image != NO_INDEX && image >= merge.count)) return false;
    if (compareVersions(need + NEED_HELD_EPOCH * 4, need + NEED_EPOCH * 4) >= 0) continue;
    if (image != NO_INDEX && compareVersions(entryOf(merge, image) + IMAGE_EPOCH * 4, need + NEED_EPOCH * 4) >= 0) continue;
    markGroup(merge, group, ATTENTION_INCOMPLETE);
  }
  if (merge.groupCount == 0) return true;
  for (let image: u32 = 0; image < merge.count; image++) {
    const group = wordAt(merge.groupOf + image * 4), newest = wordAt(entryOf(merge, image) + BATCH_NEWEST * 4);
    if (newest >= merge.count || (group != NO_INDEX && group >= merge.groupCount)) return false;
    if (group != NO_INDEX) markGroup(merge, group, byteAt(merge.flags + newest) & FLAGS);
  }
  return true;
}

function markGroup(merge: Merge, group: u32, flags: u32): void {
  const mark = merge.groups + group * 4;
  setWord(mark, wordAt(mark) | flags);
}

function verdictOf(merge: Merge, image: u32): u32 {
  if (wordAt(entryOf(merge, image) + BATCH_NEWEST * 4) != image) return VERDICT_SUPERSEDED;
  const own = byteAt(merge.flags + image);
  if ((own & ATTENTION_CARE) != 0) return VERDICT_CARE;
  if ((own & FLAG_STALE) != 0) return VERDICT_STALE;
  const group = merge.groupCount == 0 ? <u32>NO_INDEX : wordAt(merge.groupOf + image * 4);
  const flags = group == NO_INDEX ? own : wordAt(merge.groups + group * 4);
  return (flags & ATTENTION_CARE) != 0 ? VERDICT_CARE : verdictOfFlags(flags);
}

function listChanges(merge: Merge): u32 {
  let change = merge.changes;
  for (let place: u32 = 0; place < merge.recordCount; place++) {
    const image = wordAt(merge.order + place * 4);
    if (byteAt(merge.verdicts + image) != VERDICT_MERGE) continue;
    setWord(change, image);
    setWord(change + 4, wordAt(merge.held + place * HELD_WORDS * 4));
    setWord(change + 8, wordAt(merge.held + place * HELD_WORDS * 4 + 4));
    change += MERGED_WORDS * 4;
  }
  return <u32>(change - merge.changes) / (MERGED_WORDS * 4);
}
