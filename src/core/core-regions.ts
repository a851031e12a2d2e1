import {
  ATTENTION_FLAGS,
  ATTENTION_ID_AT,
  ATTENTION_ID_BYTES,
  ATTENTION_OBJECT,
  ATTENTION_WORDS,
  BASE_WORDS,
  LAYOUT_FIELD_COUNT,
  LAYOUT_OBJECT,
  LAYOUT_TYPES_AT,
  LAYOUT_WORDS,
  LAYOUTS_HEADER_WORDS,
  NEED_EPOCH,
  NEED_GROUP,
  NEED_HELD_EPOCH,
  NEED_IMAGE,
  NEED_WORDS,
} from '../../assembly/layout.ts';
import { ByteWriter } from '../protocol/byte-writer.ts';
import type { Layout } from '../protocol/layout.ts';
import type { RecordVersion } from '../protocol/version.ts';
import type { AttentionEntry, PlanGroup } from './core.ts';

/** Gives every object among the layouts a number: two layouts of one object share it. */
export function numberObjects(layouts: readonly Layout[]): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const { object } of layouts) if (!numbers.has(object)) numbers.set(object, numbers.size);
  return numbers;
}

/** Writes the region of layouts that assembly/layout.ts draws. */
export function encodeLayouts(layouts: readonly Layout[], objects: ReadonlyMap<string, number>): Uint8Array {
  const typesAt = (LAYOUTS_HEADER_WORDS + layouts.length * LAYOUT_WORDS) * 4;
  const region = new Uint8Array(layouts.reduce((byteLength, { types }) => byteLength + types.length, typesAt));
  const words = new Uint32Array(region.buffer, 0, typesAt / 4);
  words[0] = layouts.length;
  let at = typesAt;
  for (const [index, { object, types }] of layouts.entries()) {
    const entry = LAYOUTS_HEADER_WORDS + index * LAYOUT_WORDS;
    words[entry + LAYOUT_OBJECT] = objects.get(object)!;
    words[entry + LAYOUT_TYPES_AT] = at;
    words[entry + LAYOUT_FIELD_COUNT] = types.length;
    region.set(types, at);
    at += types.length;
  }
  return region;
}

/** Writes the versions that a device holds of a batch's records. */
export function encodeBases(versions: readonly RecordVersion[]): Uint32Array {
  const words = new Uint32Array(versions.length * BASE_WORDS);
  for (const [index, version] of versions.entries()) putVersion(words, index * BASE_WORDS, version);
  return words;
}

/** Writes the members that groups must have, one group after another. */
export function encodeNeeds(groups: readonly PlanGroup[]): Uint32Array {
  const needs = groups.flatMap((group, number) => group.needs.map((need) => ({ ...need, group: number })));
  const words = new Uint32Array(needs.length * NEED_WORDS);
  for (const [index, { group, image, version, held }] of needs.entries()) {
    const entry = index * NEED_WORDS;
    words[entry + NEED_GROUP] = group;
    // −1, no image, becomes the largest word: NO_INDEX.
    words[entry + NEED_IMAGE] = image;
    putVersion(words, entry + NEED_EPOCH, version);
    putVersion(words, entry + NEED_HELD_EPOCH, held);
  }
  return words;
}

/** A version is three words wherever it stands: epoch, n low, n high. */
function putVersion(words: Uint32Array, at: number, [epoch, n]: RecordVersion): void {
  words[at] = epoch;
  words[at + 1] = n;
  words[at + 2] = n / 0x1_0000_0000;
}

/** Writes the region of records that need care; those of objects that the batch lacks are left out. */
export function encodeAttention(entries: readonly AttentionEntry[], objects: ReadonlyMap<string, number>): { region: Uint8Array; count: number } {
  const known = entries.filter(({ object }) => objects.has(object));
  const ids = new ByteWriter(known.length * 48);
  const idsAt = known.length * ATTENTION_WORDS * 4;
  const words = new Uint32Array(known.length * ATTENTION_WORDS);
  for (const [index, { object, id, flags }] of known.entries()) {
    const entry = index * ATTENTION_WORDS;
    const idAt = ids.length;
    ids.text(id);
    words[entry + ATTENTION_OBJECT] = objects.get(object)!;
    words[entry + ATTENTION_ID_AT] = idsAt + idAt;
    words[entry + ATTENTION_ID_BYTES] = ids.length - idAt;
    words[entry + ATTENTION_FLAGS] = flags;
  }
  const region = new Uint8Array(idsAt + ids.length);
  region.set(new Uint8Array(words.buffer), 0);
  region.set(ids.take(), idsAt);
  return { region, count: known.length };
}
