import { BATCH_KEY_ID, BATCH_KEY_WORDS } from '../layout';
import { byteAt, clear, longAt, setLong, setWord, wordAt } from '../bytes';
import { compareIds, keyOf } from './ids';

// Keys sorted by radix, seven bytes of their ids at a time: ids that begin the same are sorted again by the bytes behind. Nobody can
// prepare ids that take longer than their bytes: each byte is looked at a bounded number of times.

export const KEY_BYTES: u32 = BATCH_KEY_WORDS * 4;
const DIGITS: u32 = 8;
const VALUES: u32 = 256;

/** So few are sorted by insertion. */
const FEW: u32 = 24;

/** Bytes of the id in one key. */
const STEP: u32 = 7;

/** How often each value of each byte comes, and then where its keys go; every sort that uses it clears it first. */
const COUNTS: usize = memory.data(DIGITS * VALUES * 4, 4);

/** Sorts keys by the ids that they stand for, equal ones in the order in which they are. `spare` has room for as many. */
export function sortKeys(keys: usize, spare: usize, count: u32, ids: usize, depth: u32): void {
  if (areSorted(keys, count)) return sortEqual(keys, spare, count, ids, depth);
  if (count <= FEW) return insertKeys(keys, count, ids, depth);
  sortByRadix(keys, spare, count);
  sortEqual(keys, spare, count, ids, depth);
}

function areSorted(keys: usize, count: u32): bool {
  const end = keys + count * KEY_BYTES;
  let last: u64 = 0;
  for (let key = keys; key < end; key += KEY_BYTES) {
    const value = longAt(key);
    if (value < last) return false;
    last = value;
  }
  return true;
}

/** Sorts each run of equal keys by what follows in their ids. */
function sortEqual(keys: usize, spare: usize, count: u32, ids: usize, depth: u32): void {
  for (let from: u32 = 0; from < count; ) {
    const value = longAt(keys + from * KEY_BYTES);
    let to = from + 1;
    while (to < count && longAt(keys + to * KEY_BYTES) == value) to++;
    // Ids that end within the key are the same.
    if (to - from > 1 && (value & 0xff) > STEP) {
      for (let index = from; index < to; index++) setKey(keys + index * KEY_BYTES, ids, depth + STEP);
      sortKeys(keys + from * KEY_BYTES, spare, to - from, ids, depth + STEP);
    }
    from = to;
  }
}

function setKey(key: usize, ids: usize, depth: u32): void {
  setLong(key, keyOf(ids + wordAt(key + BATCH_KEY_ID * 4), depth));
}

function sortByRadix(keys: usize, spare: usize, count: u32): void {
  const end = keys + count * KEY_BYTES;
  clear(COUNTS, DIGITS * VALUES * 4);
  for (let key = keys; key < end; key += KEY_BYTES) {
    const value = longAt(key);
    for (let digit: u32 = 0; digit < DIGITS; digit++) {
      const slot = slotOf(digit, value);
      setWord(slot, wordAt(slot) + 1);
    }
  }
  let source = keys, target = spare;
  for (let digit: u32 = 0; digit < DIGITS; digit++) {
    // All have the same byte here.
    if (wordAt(slotOf(digit, longAt(source))) == count) continue;
    countsToPlaces(digit, target);
    scatter(source, target, count, digit);
    const swapped = source;
    source = target;
    target = swapped;
  }
  if (source != keys) memory.copy(keys, source, end - keys);
}

function slotOf(digit: u32, value: u64): usize {
  return COUNTS + (digit * VALUES + (<u32>(value >> (<u64>digit * 8)) & 0xff)) * 4;
}

function countsToPlaces(digit: u32, target: usize): void {
  let place = target;
  const end = COUNTS + (digit + 1) * VALUES * 4;
  for (let slot = COUNTS + digit * VALUES * 4; slot < end; slot += 4) {
    const bytes = wordAt(slot) * KEY_BYTES;
    setWord(slot, <u32>place);
    place += bytes;
  }
}

function scatter(source: usize, target: usize, count: u32, digit: u32): void {
  const end = source + count * KEY_BYTES;
  for (; source < end; source += KEY_BYTES) {
    const value = longAt(source);
    const slot = slotOf(digit, value);
    const place = <usize>wordAt(slot);
    setWord(slot, <u32>(place + KEY_BYTES));
    setLong(place, value);
    setLong(place + 8, longAt(source + 8));
  }
}

function insertKeys(keys: usize, count: u32, ids: usize, depth: u32): void {
  const end = keys + count * KEY_BYTES;
  for (let key = keys + KEY_BYTES; key < end; key += KEY_BYTES) {
    const value = longAt(key), rest = longAt(key + 8);
    let place = key;
    for (; place > keys && isBehind(place - KEY_BYTES, value, rest, ids, depth); place -= KEY_BYTES) {
      setLong(place, longAt(place - KEY_BYTES));
      setLong(place + 8, longAt(place - KEY_BYTES + 8));
    }
    setLong(place, value);
    setLong(place + 8, rest);
  }
}

/** Says whether the key at a place comes behind another one. */
function isBehind(place: usize, value: u64, rest: u64, ids: usize, depth: u32): bool {
  const other = longAt(place);
  if (other != value || (value & 0xff) <= STEP) return other > value;
  const left = ids + wordAt(place + BATCH_KEY_ID * 4), right = ids + <u32>(rest >> 32);
  const skipped: u32 = 1 + depth + STEP, leftEnd = left + 1 + byteAt(left), rightEnd = right + 1 + byteAt(right);
  // A caller's keys may say that more follows where the id has ended.
  return compareIds(min(left + skipped, leftEnd), leftEnd, min(right + skipped, rightEnd), rightEnd) > 0;
}
