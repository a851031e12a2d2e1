import { byteAt, setByte } from './bytes';

// A mask names fields of a layout: bit f & 7 of byte f >> 3 stands for field f.

/** Bytes of a mask for so many fields. */
export function maskBytes(fieldCount: u32): u32 {
  return (fieldCount >> 3) + ((fieldCount & 7) != 0 ? 1 : 0);
}

/** Says whether a mask has no bit beyond its last field. */
export function isMaskOf(mask: usize, fieldCount: u32): bool {
  const used = fieldCount & 7;
  return used == 0 || byteAt(mask + (fieldCount >> 3)) >> used == 0;
}

export function isInMask(mask: usize, field: u32): bool {
  return (byteAt(mask + (field >> 3)) & (1 << (field & 7))) != 0;
}

export function addToMask(mask: usize, field: u32): void {
  const at = mask + (field >> 3);
  setByte(at, byteAt(at) | (1 << (field & 7)));
}

export function countInMask(mask: usize, fieldCount: u32): u32 {
  let count: u32 = 0;
  for (let byte: u32 = 0; byte < maskBytes(fieldCount); byte++) count += popcnt(byteAt(mask + byte));
  return count;
}

/** Says whether every field of one mask is in another. */
export function isSubset(part: usize, whole: usize, fieldCount: u32): bool {
  for (let byte: u32 = 0; byte < maskBytes(fieldCount); byte++) {
    if ((byteAt(part + byte) & ~byteAt(whole + byte)) != 0) return false;
  }
  return true;
}
