import type { FieldMask } from '../protocol/row.ts';

/** Bytes of a mask for so many fields. */
export function maskByteLength(fieldCount: number): number {
  return (fieldCount + 7) >> 3;
}

/** Says whether these are so many masks, one after another, with no bit beyond the last field of a layout. */
export function areMasksOf(masks: Uint8Array, count: number, fieldCount: number): boolean {
  const byteLength = maskByteLength(fieldCount), used = fieldCount & 7;
  if (masks.length !== count * byteLength) return false;
  if (used === 0) return true;
  for (let last = byteLength - 1; last < masks.length; last += byteLength) if (masks[last]! >> used !== 0) return false;
  return true;
}

/** Counts the fields of a mask. */
export function countFields(mask: FieldMask): number {
  let count = 0;
  for (let byte = 0; byte < mask.length; byte++) for (let bits = mask[byte]!; bits > 0; bits &= bits - 1) count++;
  return count;
}

/** Says whether masks name any field. */
export function hasFields(masks: Uint8Array): boolean {
  for (let byte = 0; byte < masks.length; byte++) if (masks[byte] !== 0) return true;
  return false;
}

/** Says whether every field of one mask is in another of the same size. */
export function isSubset(part: FieldMask, whole: FieldMask): boolean {
  for (let byte = 0; byte < part.length; byte++) if ((part[byte]! & ~whole[byte]!) !== 0) return false;
  return true;
}
