import type { FieldMask } from '../protocol/row.ts';

/** Bytes of a mask for so many fields. */
export function maskByteLength(fieldCount: number): number {
  return (fieldCount + 7) >> 3;
}

/** Says whether a mask has the size that a layout of so many fields asks for, and no bit beyond its last field. */
export function isMaskOf(mask: FieldMask, fieldCount: number): boolean {
  if (mask.length !== maskByteLength(fieldCount)) return false;
  const used = fieldCount & 7;
  return used === 0 || mask[mask.length - 1]! >> used === 0;
}

/** Counts the fields of a mask. */
export function countFields(mask: FieldMask): number {
  let count = 0;
  for (let byte = 0; byte < mask.length; byte++) for (let bits = mask[byte]!; bits > 0; bits &= bits - 1) count++;
  return count;
}

/** Says whether masks name any field. */
export function hasFields(masks: Uint8Array): boolean {
  return masks.some((bits) => bits !== 0);
}

/** Says whether every field of one mask is in another of the same size. */
export function isSubset(part: FieldMask, whole: FieldMask): boolean {
  for (let byte = 0; byte < part.length; byte++) if ((part[byte]! & ~whole[byte]!) !== 0) return false;
  return true;
}
