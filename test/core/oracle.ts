import type { FeedPlanInput, PlanNeed, Verdict } from '../../src/core/core.ts';
import { ByteReader } from '../../src/protocol/byte-reader.ts';
import { ByteWriter } from '../../src/protocol/byte-writer.ts';
import type { FieldValue } from '../../src/protocol/field.ts';
import { IMAGE_STATES, writeImage, type Image, type ImageState } from '../../src/protocol/items.ts';
import type { Layout } from '../../src/protocol/layout.ts';
import { decodeRow, encodeRow } from '../../src/protocol/row.ts';
import { VALUE_LIMITS } from '../../src/protocol/value.ts';
import { compareVersions } from '../../src/protocol/version.ts';
import { bytesEqual, utf8 } from '../../src/shared/bytes.ts';

// The obvious version of what the core does: on decoded values, without a thought for speed.

/** A row is canonical exactly when writing the values that it holds gives the same bytes. */
export function isCanonicalRow(layout: Layout, row: Uint8Array): boolean {
  try {
    return bytesEqual(encodeRow(layout, decodeRow(layout, row)), row);
  } catch {
    return false;
  }
}

/** Images are canonical exactly when writing what they say gives the same bytes; `null` when they are not. */
export function readImagesObviously(items: Uint8Array, layouts: readonly Layout[]): Image[] | null {
  try {
    const reader = new ByteReader(items);
    const images: Image[] = [];
    while (reader.at < items.length) {
      const start = reader.at;
      const image = readImage(reader, layouts);
      const writer = new ByteWriter();
      writeImage(writer, image);
      if (!bytesEqual(writer.take(), items.subarray(start, reader.at))) return null;
      images.push(image);
    }
    return images;
  } catch {
    return null;
  }
}

function readImage(reader: ByteReader, layouts: readonly Layout[]): Image {
  require(reader.array() === 6);
  const [layout, id, epoch, n, state] = [reader.value(), reader.value(), reader.value(), reader.value(), reader.value()];
  require(isWithin(layout, 0, layouts.length - 1) && isWithin(epoch, 0, 2 ** 31 - 1) && isWithin(n, 1, Number.MAX_SAFE_INTEGER));
  require(typeof id === 'string' && utf8(id).length >= 1 && utf8(id).length <= VALUE_LIMITS.idBytes);
  const name = (Object.keys(IMAGE_STATES) as ImageState[]).find((candidate) => IMAGE_STATES[candidate] === state);
  require(name !== undefined);
  const part = reader.slice();
  const isNil = bytesEqual(part, Uint8Array.of(0xc0));
  require(isNil === (name !== 'live') && (isNil || isCanonicalRow(layouts[layout as number]!, part)));
  return { layout: layout as number, id: id as string, version: [epoch as number, n as number], state: name!, row: isNil ? null : part };
}

function isWithin(value: unknown, smallest: number, largest: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= smallest && (value as number) <= largest;
}

function require(isSo: boolean): void {
  if (!isSo) throw new RangeError('not canonical');
}

export function isSameValue(left: FieldValue | undefined, right: FieldValue | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/** The verdicts, record by record. */
export function planObviously(images: readonly Image[], input: Omit<FeedPlanInput, 'items'>): Verdict[] {
  const { layouts, baseVersions, attention, groups = [], groupOf = [], replace } = input;
  const recordOf = ({ layout, id }: Image): string => JSON.stringify([layouts[layout]!.object, id]);
  const flagsOf = (image: Image): number[] => attention.filter(({ object, id }) => JSON.stringify([object, id]) === recordOf(image)).map(({ flags }) => flags);
  const isThere = ({ image, version, held }: PlanNeed): boolean =>
    compareVersions(held, version) >= 0 || (image >= 0 && compareVersions(images[image]!.version, version) >= 0);
  return images.map((image, index): Verdict => {
    const isBeaten = images.some((other, place) => {
      if (place === index || recordOf(other) !== recordOf(image)) return false;
      const difference = compareVersions(other.version, image.version);
      return difference > 0 || (difference === 0 && place > index);
    });
    if (isBeaten) return 'superseded';
    const difference = compareVersions(image.version, baseVersions[index]!);
    if (difference < 0 || (difference === 0 && replace === 'newer')) return 'stale';
    const group = groups[groupOf[index] ?? -1];
    const family = group === undefined ? [image] : images.filter((_, place) => groupOf[place] === groupOf[index]);
    const isMissing = group !== undefined && !group.needs.every(isThere);
    const flags = [...family.flatMap(flagsOf), group?.flags ?? 0, isMissing ? 8 : 0].reduce((joined, bits) => joined | bits, 0);
    return flags & 3 ? 'discard' : flags & 8 ? 'incomplete' : flags & 4 ? 'wait' : 'merge';
  });
}
