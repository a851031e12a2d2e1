// The only file that touches memory. Whoever calls has checked that the bytes lie in a region of the call (regions.ts).

/** The byte at an address. */
export function byteAt(at: usize): u32 {
  return load<u8>(at);
}

export function setByte(at: usize, value: u32): void {
  store<u8>(at, value);
}

/** A little-endian word of a table; tables are ours, msgpack is big-endian. */
export function wordAt(at: usize): u32 {
  return load<u32>(at);
}

export function setWord(at: usize, value: u32): void {
  store<u32>(at, value);
}

/** A little-endian pair of words. */
export function longAt(at: usize): u64 {
  return load<u64>(at);
}

/** A little-endian pair of bytes. */
export function shortAt(at: usize): u32 {
  return load<u16>(at);
}

export function setLong(at: usize, value: u64): void {
  store<u64>(at, value);
}

export function big16At(at: usize): u32 {
  return bswap<u16>(load<u16>(at));
}

export function big32At(at: usize): u32 {
  return bswap<u32>(load<u32>(at));
}

export function big64At(at: usize): u64 {
  return bswap<u64>(load<u64>(at));
}

export function clear(at: usize, byteLength: u32): void {
  memory.fill(at, 0, byteLength);
}

/** Copies bytes and returns where the copy ends. */
export function copyTo(target: usize, from: usize, to: usize): usize {
  memory.copy(target, from, to - from);
  return target + (to - from);
}

/**
 * The first address of the left bytes where they differ from the right ones, or where either ends.
 */
export function equalUntil(left: usize, leftEnd: usize, right: usize, rightEnd: usize): usize {
  const stop = left + min(leftEnd - left, rightEnd - right);
  if (ASC_FEATURE_SIMD) {
    while (stop - left >= 16) {
      const equal = i8x16.bitmask(i8x16.eq(v128.load(left), v128.load(right)));
      if (equal != 0xffff) return left + ctz(~equal);
      left += 16;
      right += 16;
    }
  }
  while (stop - left >= 8) {
    const difference = load<u64>(left) ^ load<u64>(right);
    if (difference != 0) return left + (<usize>ctz(difference) >> 3);
    left += 8;
    right += 8;
  }
  while (left < stop && load<u8>(left) == load<u8>(right)) {
    left++;
    right++;
  }
  return left;
}

/** Says whether two stretches of the same length are equal, many bytes at a time. */
export function isEqualStretch(left: usize, leftEnd: usize, right: usize): bool {
  if (ASC_FEATURE_SIMD) {
    for (; leftEnd - left >= 64; left += 64, right += 64) {
      const first = v128.or(v128.xor(v128.load(left), v128.load(right)), v128.xor(v128.load(left, 16), v128.load(right, 16)));
      const second = v128.or(v128.xor(v128.load(left, 32), v128.load(right, 32)), v128.xor(v128.load(left, 48), v128.load(right, 48)));
      if (v128.any_true(v128.or(first, second))) return false;
    }
  }
  for (; leftEnd - left >= 32; left += 32, right += 32) {
    const first = (load<u64>(left) ^ load<u64>(right)) | (load<u64>(left, 8) ^ load<u64>(right, 8));
    const second = (load<u64>(left, 16) ^ load<u64>(right, 16)) | (load<u64>(left, 24) ^ load<u64>(right, 24));
    if ((first | second) != 0) return false;
  }
  return isSame(left, leftEnd, right, right + (leftEnd - left));
}

export function isSame(left: usize, leftEnd: usize, right: usize, rightEnd: usize): bool {
  const byteLength = leftEnd - left;
  if (rightEnd - right != byteLength) return false;
  if (byteLength < 8) return isSameShort(left, right, byteLength);
  // The last eight bytes are compared whole, even where some were before: no loop over single bytes.
  for (; leftEnd - left > 8; left += 8, right += 8) if (load<u64>(left) != load<u64>(right)) return false;
  return load<u64>(leftEnd - 8) == load<u64>(rightEnd - 8);
}

function isSameShort(left: usize, right: usize, byteLength: usize): bool {
  if (byteLength >= 4) {
    return load<u32>(left) == load<u32>(right) && load<u32>(left + byteLength - 4) == load<u32>(right + byteLength - 4);
  }
  for (let offset: usize = 0; offset < byteLength; offset++) if (load<u8>(left + offset) != load<u8>(right + offset)) return false;
  return true;
}

/** Says whether the left bytes come before the right ones, as in a dictionary. */
export function isBefore(left: usize, leftEnd: usize, right: usize, rightEnd: usize): bool {
  const at = equalUntil(left, leftEnd, right, rightEnd);
  const other = right + (at - left);
  if (other == rightEnd) return false;
  return at == leftEnd || load<u8>(at) < load<u8>(other);
}

/** The first address whose byte is not ASCII, or the end. */
export function asciiUntil(at: usize, end: usize): usize {
  if (ASC_FEATURE_SIMD) {
    while (end - at >= 16) {
      const others = i8x16.bitmask(v128.load(at));
      if (others != 0) return at + ctz(others);
      at += 16;
    }
  }
  while (end - at >= 8 && (load<u64>(at) & 0x8080808080808080) == 0) at += 8;
  while (at < end && load<u8>(at) < 0x80) at++;
  return at;
}

const HIGH_BITS: u64 = 0x8080808080808080;

/** Says whether 1 to 31 bytes are ASCII; at least 32 may be loaded. */
export function isShortAscii(at: usize, byteLength: u32): bool {
  if (ASC_FEATURE_SIMD) {
    const others = i8x16.bitmask(v128.load(at)) | (i8x16.bitmask(v128.load(at, 16)) << 16);
    return (others & ((1 << byteLength) - 1)) == 0;
  }
  if (byteLength < 8) return (load<u64>(at) << (64 - 8 * <u64>byteLength) & HIGH_BITS) == 0;
  // The last eight, and the others in eights before.
  let others = load<u64>(at + byteLength - 8);
  for (let offset: u32 = 0; offset + 8 < byteLength; offset += 8) others |= load<u64>(at + offset);
  return (others & HIGH_BITS) == 0;
}

/**
 * Copies bytes in whole words and returns where the copy ends: up to 15 bytes more are read and written, which whoever calls has room
 * for. A call of the engine's own copy costs more than a few words.
 */
export function copyWords(target: usize, from: usize, to: usize): usize {
  const end = target + (to - from);
  if (to - from > 1024) return copyTo(target, from, to);
  if (ASC_FEATURE_SIMD) {
    for (; target < end; target += 16, from += 16) v128.store(target, v128.load(from));
  } else {
    for (; target < end; target += 8, from += 8) store<u64>(target, load<u64>(from));
  }
  return end;
}
