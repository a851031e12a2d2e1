import {
  ATTENTION_WORDS,
  LAYOUT_FIELD_COUNT,
  LAYOUT_OBJECT,
  LAYOUT_TYPES_AT,
  LAYOUT_WORDS,
  LAYOUTS_HEADER_WORDS,
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

// Below, words stand in the order that assembly/layout.ts draws; whatever writes them into memory keeps 32 bits of each.

/** Writes the versions that a device holds of a batch's records. */
export function encodeBases(versions: readonly RecordVersion[]): number[] {
  return versions.flatMap(versionWords);
}

/** Writes the members that groups must have, one group after another; −1 for no image becomes the largest word, NO_INDEX. */
export function encodeNeeds(groups: readonly PlanGroup[]): Uint32Array {
  const words = new Uint32Array(groups.reduce((count, { needs }) => count + needs.length, 0) * NEED_WORDS);
  let at = 0;
  for (const [group, { needs }] of groups.entries()) {
    for (const { image, version, held } of needs) {
      words[at++] = group;
      words[at++] = image;
      for (const [epoch, n] of [version, held]) {
        words[at++] = epoch;
        words[at++] = n;
        words[at++] = n / 0x1_0000_0000;
      }
    }
  }
  return words;
}

/** Epoch, n low, n high. */
function versionWords([epoch, n]: RecordVersion): [number, number, number] {
  return [epoch, n, n / 0x1_0000_0000];
}

/** Writes the region of records that need care; those of objects that the batch lacks are left out. */
export function encodeAttention(entries: readonly AttentionEntry[], objects: ReadonlyMap<string, number>): { region: Uint8Array; count: number } {
  const known = entries.filter(({ object }) => objects.has(object));
  const ids = new ByteWriter(known.length * 48);
  const idsAt = known.length * ATTENTION_WORDS * 4;
  const words = known.flatMap(({ object, id, flags }) => {
    const idAt = ids.length;
    ids.text(id);
    return [objects.get(object)!, idsAt + idAt, ids.length - idAt, flags];
  });
  const region = new Uint8Array(idsAt + ids.length);
  region.set(new Uint8Array(Uint32Array.from(words).buffer), 0);
  region.set(ids.take(), idsAt);
  return { region, count: known.length };
}
