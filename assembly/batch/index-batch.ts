import {
  BATCH_IMAGE_WORDS,
  BATCH_KEY_ID,
  BATCH_KEY_IMAGE,
  BATCH_NEWEST,
  IMAGE_EPOCH,
  IMAGE_ID_AT,
  IMAGE_ID_BYTES,
  IMAGE_LAYOUT,
  IMAGE_N_HIGH,
  IMAGE_N_LOW,
  IMAGE_ROW_AT,
  IMAGE_ROW_BYTES,
  IMAGE_STATE,
  MAX_EPOCH,
  MAX_SAFE_INTEGER,
  ROW_BLOCK_FORMAT,
  ROW_BLOCK_HEADER_BYTES,
  ROW_ENDS_BYTES,
  STATE_LIVE,
} from '../layout';
import { acceptInteger, acceptText, GLANCE_BYTES, readRowQuickly } from '../accept';
import { byteAt, copyWords, isSame, longAt, setByte, setLong, setWord, wordAt } from '../bytes';
import { indexImage } from '../items';
import { fieldCountOf, layoutAt, layoutCount, objectOf, typesOf } from '../layouts';
import { bodyAt, integerAt } from '../msgpack/reader';
import { TAG_ARRAY, TAG_NIL } from '../msgpack/tags';
import { keyOf } from './ids';
import { KEY_BYTES, sortKeys } from './sort';

export const ENTRY_BYTES: u32 = BATCH_IMAGE_WORDS * 4;

/** Bytes that an id takes at most among the ids, and that may be touched behind the last. */
export const ID_ROOM: u32 = 272;

/** Checks the image at `at`, writes its entry and answers with where the next item begins; offsets in the entry count from `items`. */
export function indexQuickly(items: usize, at: usize, end: usize, layouts: usize, entry: usize): usize {
  const next = indexCommon(items, at, end, layouts, entry);
  return next != 0 ? next : indexImage(items, at, end, layouts, entry);
}

/** The same for an image as nearly all are; 0 for others. */
function indexCommon(items: usize, at: usize, end: usize, layouts: usize, entry: usize): usize {
  if (<u32>(end - at) < 320 + GLANCE_BYTES || byteAt(at) != TAG_ARRAY + 6 || byteAt(at + 1) >= min(layoutCount(layouts), 0x80)) return 0;
  const idAt = at + 2;
  const epochAt = acceptText(idAt, end);
  if (epochAt == 0) return 0;
  const nAt = acceptInteger(epochAt);
  if (nAt == 0) return 0;
  const stateAt = acceptInteger(nAt);
  if (stateAt == 0 || byteAt(stateAt) != STATE_LIVE || byteAt(stateAt + 1) == TAG_NIL) return 0;
  const epoch = integerAt(epochAt), n = integerAt(nAt);
  if (epoch < 0 || epoch > MAX_EPOCH || n < 1 || n > MAX_SAFE_INTEGER) return 0;
  const layout = layoutAt(layouts, byteAt(at + 1));
  const rowAt = stateAt + 1;
  const next = readRowQuickly(rowAt, end, typesOf(layouts, layout), fieldCountOf(layout));
  if (next == 0) return 0;
  setWord(entry + IMAGE_LAYOUT * 4, byteAt(at + 1));
  setWord(entry + IMAGE_ID_AT * 4, <u32>(idAt - items));
  setWord(entry + IMAGE_ID_BYTES * 4, <u32>(epochAt - idAt));
  setWord(entry + IMAGE_EPOCH * 4, <u32>epoch);
  setWord(entry + IMAGE_N_LOW * 4, <u32>n);
  setWord(entry + IMAGE_N_HIGH * 4, <u32>(n >> 32));
  setWord(entry + IMAGE_STATE * 4, STATE_LIVE);
  setWord(entry + IMAGE_ROW_AT * 4, <u32>(rowAt - items));
  setWord(entry + IMAGE_ROW_BYTES * 4, <u32>(next - rowAt));
  return next;
}

/** Keeps the id of an image among the ids, and answers with where the next one goes. */
export function noteId(items: usize, entry: usize, image: u32, key: usize, ids: usize, at: usize): usize {
  const value = items + wordAt(entry + IMAGE_ID_AT * 4);
  const body = bodyAt(value), end = value + wordAt(entry + IMAGE_ID_BYTES * 4);
  setByte(at, <u32>(end - body));
  const next = copyWords(at + 1, body, end);
  setLong(key, keyOf(at, 0));
  setWord(key + BATCH_KEY_IMAGE * 4, image);
  setWord(key + BATCH_KEY_ID * 4, <u32>(at - ids));
  return next;
}

/**
 * Sorts the keys by object and id, finds the newest image of each record, and moves its key to the record's place. Writes the order and
 * where each object ends in it, and answers with the count of records.
 */
export function sortRecords(
  layouts: usize, entries: usize, count: u32, keys: usize, spare: usize, ids: usize, order: usize, ends: usize, objectCount: u32,
): u32 {
  partByObject(layouts, entries, count, keys, spare, ends, objectCount);
  let records: u32 = 0, from: u32 = 0;
  for (let object: u32 = 0; object < objectCount; object++) {
    const to = wordAt(ends + object * 4);
    sortKeys(keys + from * KEY_BYTES, spare, to - from, ids, 0);
    records = keepNewest(entries, keys, from, to, ids, order, records);
    setWord(ends + object * 4, records);
    from = to;
  }
  return records;
}

/** Puts the keys of each object together, in the order in which they are, and writes where each part ends. */
function partByObject(layouts: usize, entries: usize, count: u32, keys: usize, spare: usize, ends: usize, objectCount: u32): void {
  memory.fill(ends, 0, objectCount * 4);
  for (let image: u32 = 0; image < count; image++) {
    const end = ends + objectAt(layouts, entries, image) * 4;
    setWord(end, wordAt(end) + 1);
  }
  let before: u32 = 0, used: u32 = 0;
  for (let object: u32 = 0; object < objectCount; object++) {
    const here = wordAt(ends + object * 4);
    setWord(ends + object * 4, before);
    before += here;
    if (here > 0) used++;
  }
  if (used > 1) memory.copy(spare, keys, count * KEY_BYTES);
  for (let image: u32 = 0; image < count; image++) {
    const end = ends + objectAt(layouts, entries, image) * 4;
    const place = wordAt(end);
    setWord(end, place + 1);
    if (used > 1) memory.copy(keys + place * KEY_BYTES, spare + image * KEY_BYTES, KEY_BYTES);
  }
}

function objectAt(layouts: usize, entries: usize, image: u32): u32 {
  return objectOf(layoutAt(layouts, wordAt(entries + image * ENTRY_BYTES + IMAGE_LAYOUT * 4)));
}

function keepNewest(entries: usize, keys: usize, from: u32, to: u32, ids: usize, order: usize, records: u32): u32 {
  while (from < to) {
    const first = keys + from * KEY_BYTES;
    let newest = imageOfKey(first), next = from + 1;
    for (; next < to && isSameId(first, keys + next * KEY_BYTES, ids); next++) {
      const image = imageOfKey(keys + next * KEY_BYTES);
      // Images of one record come in the order of the message: of equal versions the later one stays.
      if (compareEntries(entries + image * ENTRY_BYTES, entries + newest * ENTRY_BYTES) >= 0) newest = image;
    }
    for (; from < next; from++) setWord(entries + imageOfKey(keys + from * KEY_BYTES) * ENTRY_BYTES + BATCH_NEWEST * 4, newest);
    const key = keys + records * KEY_BYTES;
    const id = wordAt(first + BATCH_KEY_ID * 4);
    setWord(key + BATCH_KEY_ID * 4, id);
    setWord(order + records * 4, newest);
    records++;
  }
  return records;
}

function isSameId(key: usize, other: usize, ids: usize): bool {
  if (longAt(key) != longAt(other)) return false;
  const left = ids + wordAt(key + BATCH_KEY_ID * 4), right = ids + wordAt(other + BATCH_KEY_ID * 4);
  return isSame(left, left + 1 + byteAt(left), right, right + 1 + byteAt(right));
}

function imageOfKey(key: usize): u32 {
  return wordAt(key + BATCH_KEY_IMAGE * 4);
}

function compareEntries(left: usize, right: usize): i32 {
  const epoch = wordAt(left + IMAGE_EPOCH * 4), otherEpoch = wordAt(right + IMAGE_EPOCH * 4);
  if (epoch != otherEpoch) return epoch < otherEpoch ? -1 : 1;
  const n = longAt(left + IMAGE_N_LOW * 4), otherN = longAt(right + IMAGE_N_LOW * 4);
  return n < otherN ? -1 : n > otherN ? 1 : 0;
}

/**
 * Writes the ids of the first records as a row block without values, and answers with where it ends; 0 when a key names no id, or there is
 * no room.
 */
export function packRecordIds(keys: usize, count: u32, ids: usize, idsBytes: u32, block: usize, blockEnd: usize): usize {
  setWord(block, ROW_BLOCK_FORMAT);
  setWord(block + 4, count);
  let ends = block + ROW_BLOCK_HEADER_BYTES;
  const data = ends + count * ROW_ENDS_BYTES;
  let at = data;
  for (let record: u32 = 0; record < count; record++) {
    const id = wordAt(keys + record * KEY_BYTES + BATCH_KEY_ID * 4);
    if (<u64>id + ID_ROOM > idsBytes || blockEnd - at < ID_ROOM) return 0;
    at = copyWords(at, ids + id + 1, ids + id + 1 + byteAt(ids + id));
    setWord(ends, <u32>(at - data));
    setWord(ends + 4, <u32>(at - data));
    ends += ROW_ENDS_BYTES;
  }
  return at;
}
