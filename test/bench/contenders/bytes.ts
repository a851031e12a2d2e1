import { ATTENTION, VERDICTS } from '../../../src/core/core.ts';
import { ByteReader } from '../../../src/protocol/byte-reader.ts';
import { ByteWriter } from '../../../src/protocol/byte-writer.ts';
import { decodeEnvelope, encodeEnvelope } from '../../../src/protocol/envelope.ts';
import type { FieldValue } from '../../../src/protocol/field.ts';
import { writeImage } from '../../../src/protocol/items.ts';
import { encodeRow, readValue } from '../../../src/protocol/row.ts';
import { CRM_LAYOUT } from '../crm-rows.ts';
import type { ChangeSink, FeedContender, FeedStore, HeldRecord, MergeCounts, MergeMode } from '../feed-contender.ts';
import type { FeedData, FeedGroup } from '../feed-data.ts';
import { ByteTable, hashOf } from './byte-table.ts';
import { popCount } from './by-hand.ts';

const place = (verdict: (typeof VERDICTS)[number]): number => VERDICTS.indexOf(verdict);
const MERGE = place('merge'), WAIT = place('wait'), DISCARD = place('discard'), SUPERSEDED = place('superseded'), STALE = place('stale'), INCOMPLETE = place('incomplete');

/** Words of an entry: where its id begins and ends, its version, where its row begins and ends, its hash. */
const WORDS = 6;

/**
 * JavaScript by hand over bytes: ids and rows lie in one large array, a hash table says where. Nothing is decoded unless somebody looks, and
 * rows are in no order. It trusts the message: it only finds where values end.
 */
export const bytes: FeedContender = {
  name: 'by hand, bytes',
  note: 'reads the same bytes as the core and validates nothing of them; rows are in no order, and what they replace stays where it was',
  mostRecords: Infinity,
  modes: ['lazy', 'masks', 'values'],
  open: (data) => new ByteStore(data),
};

class ByteStore implements FeedStore {
  readonly #items: Uint8Array;
  readonly #manifest: Uint8Array;
  readonly #attention: ReadonlyMap<string, number>;
  readonly #full: ByteTable;
  #table: ByteTable;

  constructor(data: FeedData) {
    const writer = new ByteWriter(1024);
    for (const { id, version, values } of data.entries()) writeImage(writer, { layout: 0, id, version: [1, version], state: 'live', row: encodeRow(CRM_LAYOUT, values) });
    this.#items = writer.take();
    this.#manifest = encodeEnvelope({ groups: data.groups() });
    this.#attention = data.attention();
    this.#full = new ByteTable(data.scale.rows + data.scale.entries, data.scale.rows * 350 + this.#items.length);
    for (const { id, version, values } of data.rows()) {
      const key = Buffer.from(id), row = encodeRow(CRM_LAYOUT, values);
      this.#full.put(key, 0, key.length, hashOf(key, 0, key.length), version, row, 0, row.length);
    }
    this.#table = this.#full;
  }

  load(): void {
    this.#table = this.#full.copy();
  }

  merge(mode: MergeMode, onChange: ChangeSink): MergeCounts {
    const { groups } = decodeEnvelope(this.#manifest) as { readonly groups: readonly FeedGroup[] };
    const items = this.#items, table = this.#table;
    const { entries, count } = indexItems(items);
    const newest = newestOf(items, entries, count);
    const obstacles = obstaclesOf(items, newest, this.#attention, groups, table);
    const verdicts = VERDICTS.map(() => 0);
    let changedFields = mode === 'masks' ? 0 : -1;
    for (let entry = 0; entry < count; entry++) {
      const at = entry * WORDS;
      const idAt = entries[at]!, idEnd = entries[at + 1]!, version = entries[at + 2]!, rowAt = entries[at + 3]!, rowEnd = entries[at + 4]!, hash = entries[at + 5]!;
      let verdict = SUPERSEDED;
      const slot = table.find(items, idAt, idEnd, hash);
      if (newest.isNewest[entry] === 1) verdict = version <= table.versionAt(slot) ? STALE : obstacles[entry]!;
      verdicts[verdict]!++;
      if (verdict !== MERGE) continue;
      if (mode !== 'lazy') {
        const mask = diff(table.bytes, table.rowAt(slot), items, rowAt);
        if (mode === 'masks') changedFields += popCount(mask);
        else onChange(Buffer.from(items.buffer, items.byteOffset + idAt, idEnd - idAt).toString('latin1'), valuesOf(items.subarray(rowAt, rowEnd), mask));
      }
      table.putAt(slot, items, idAt, idEnd, hash, version, items, rowAt, rowEnd);
    }
    return { verdicts, changedFields };
  }

  *records(): Generator<HeldRecord> {
    yield* this.#table.records();
  }
}

/** Finds where the parts of each image lie: `[layout, id, epoch, n, state, row]`. */
function indexItems(items: Uint8Array): { readonly entries: Uint32Array; readonly count: number } {
  let entries = new Uint32Array(WORDS * 16_384), count = 0;
  for (let at = 0; at < items.length; count++) {
    if ((count + 1) * WORDS > entries.length) {
      const larger = new Uint32Array(entries.length * 2);
      larger.set(entries);
      entries = larger;
    }
    // Every id here is a text of 36 bytes, every layout and epoch a single byte, and so is a version.
    const idAt = at + 4, idEnd = idAt + items[at + 3]!;
    const rowAt = idEnd + 3, rowEnd = skip(items, rowAt);
    entries.set([idAt, idEnd, items[idEnd + 1]!, rowAt, rowEnd, hashOf(items, idAt, idEnd)], count * WORDS);
    at = rowEnd;
  }
  return { entries, count };
}

interface Newest {
  readonly isNewest: Uint8Array;
  /** Finds the newest entry of an id; −1 when there is none. */
  find(id: Uint8Array): number;
}

function newestOf(items: Uint8Array, entries: Uint32Array, count: number): Newest {
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(count * 2 + 2))).fill(-1), wrap = slots.length - 1;
  const isNewest = new Uint8Array(count);
  const slotOf = (bytes: Uint8Array, at: number, end: number, hash: number): number => {
    let slot = hash & wrap;
    for (let other = slots[slot]!; other >= 0; slot = (slot + 1) & wrap, other = slots[slot]!) {
      if (entries[other * WORDS + 5] === hash && isSame(items, entries[other * WORDS]!, entries[other * WORDS + 1]!, bytes, at, end)) break;
    }
    return slot;
  };
  for (let entry = 0; entry < count; entry++) {
    const at = entry * WORDS, slot = slotOf(items, entries[at]!, entries[at + 1]!, entries[at + 5]!), other = slots[slot]!;
    if (other >= 0 && entries[other * WORDS + 2]! > entries[at + 2]!) continue;
    if (other >= 0) isNewest[other] = 0;
    isNewest[entry] = 1;
    slots[slot] = entry;
  }
  return { isNewest, find: (id) => slots[slotOf(id, 0, id.length, hashOf(id, 0, id.length))]! };
}

/** The verdict that each entry has unless it is superseded or stale. */
function obstaclesOf(items: Uint8Array, newest: Newest, attention: ReadonlyMap<string, number>, groups: readonly FeedGroup[], table: ByteTable): Uint8Array {
  const flags = new Uint8Array(newest.isNewest.length);
  for (const [id, bits] of attention) {
    const entry = newest.find(Buffer.from(id, 'latin1'));
    if (entry >= 0) flags[entry] = bits;
  }
  for (const { members, others } of groups) {
    let all = 0;
    for (const member of members) all |= flags[member]!;
    for (const { id, version } of others) {
      const key = Buffer.from(id, 'latin1');
      if (table.versionAt(table.find(key, 0, key.length, hashOf(key, 0, key.length))) < version) all |= ATTENTION.incomplete;
    }
    for (const member of members) flags[member] = all;
  }
  return flags.map((bits) => ((bits & ATTENTION.pending) !== 0 ? DISCARD : (bits & ATTENTION.incomplete) !== 0 ? INCOMPLETE : (bits & ATTENTION.inUse) !== 0 ? WAIT : MERGE));
}

/** The fields in which two rows differ; where nothing is held (`leftAt` 0), those that have a value. */
function diff(left: Uint8Array, leftAt: number, right: Uint8Array, rightAt: number): number {
  const count = CRM_LAYOUT.fields.length;
  let mask = 0, before = leftAt + 3, after = rightAt + 3; // An array of 20 values begins with three bytes.
  for (let field = 0; field < count; field++) {
    const afterEnd = skip(right, after);
    if (leftAt === 0) {
      if (right[after] !== 0xc0) mask |= 1 << field;
    } else {
      const beforeEnd = skip(left, before);
      if (!isSame(left, before, beforeEnd, right, after, afterEnd)) mask |= 1 << field;
      before = beforeEnd;
    }
    after = afterEnd;
  }
  return mask;
}

function valuesOf(row: Uint8Array, mask: number): Record<string, FieldValue> {
  const reader = new ByteReader(row), values: Record<string, FieldValue> = {};
  reader.array();
  for (const [field, { name, type }] of CRM_LAYOUT.fields.entries()) {
    if ((mask & (1 << field)) !== 0) values[name] = readValue(reader, type);
    else reader.skip();
  }
  return values;
}

function isSame(left: Uint8Array, leftAt: number, leftEnd: number, right: Uint8Array, rightAt: number, rightEnd: number): boolean {
  if (leftEnd - leftAt !== rightEnd - rightAt) return false;
  for (let at = leftAt, other = rightAt; at < leftEnd; at++, other++) if (left[at] !== right[other]) return false;
  return true;
}

/** Where a msgpack value ends. */
function skip(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80 || first >= 0xe0) return at + 1;
  if (first >= 0xa0 && first < 0xc0) return at + 1 + (first & 31);
  if (first >= 0x90 && first < 0xa0) return skipMany(bytes, at + 1, first & 15);
  switch (first) {
    case 0xc0: case 0xc2: case 0xc3: return at + 1;
    case 0xcc: case 0xd0: return at + 2;
    case 0xcd: case 0xd1: return at + 3;
    case 0xca: case 0xce: case 0xd2: return at + 5;
    case 0xcb: case 0xcf: case 0xd3: return at + 9;
    case 0xd9: return at + 2 + bytes[at + 1]!;
    case 0xda: return at + 3 + ((bytes[at + 1]! << 8) | bytes[at + 2]!);
    case 0xdc: return skipMany(bytes, at + 3, (bytes[at + 1]! << 8) | bytes[at + 2]!);
    default: throw new RangeError(`there are no values that begin with ${first} in these rows`);
  }
}

function skipMany(bytes: Uint8Array, at: number, count: number): number {
  let end = at;
  for (let left = count; left > 0; left--) end = skip(bytes, end);
  return end;
}
