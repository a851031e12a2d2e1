import { big64At, byteAt, equalUntil } from '../bytes';

// Ids in the order of UTF-16 code units, which is that of their UTF-8 bytes but for U+E000 to U+FFFF: these come behind all above them.

/** Orders two ids: negative when the left comes first, 0 when they are equal. */
export function compareIds(left: usize, leftEnd: usize, right: usize, rightEnd: usize): i32 {
  const at = equalUntil(left, leftEnd, right, rightEnd);
  const other = right + (at - left);
  if (at == leftEnd || other == rightEnd) return <i32>(leftEnd - at) - <i32>(rightEnd - other);
  return <i32>rankOf(byteAt(at)) - <i32>rankOf(byteAt(other));
}

function rankOf(byte: u32): u32 {
  return byte == 0xee || byte == 0xef ? byte + 0x10 : byte;
}

/**
 * Seven bytes of an id from `depth` on, as a number that orders as they do; its last byte is how many there are, or 8 when more follow. Ids
 * with equal keys below 8 end there. Eight bytes may be loaded from anywhere in the id.
 *
 * @param id - a byte with its byte length, and then its bytes.
 */
export function keyOf(id: usize, depth: u32): u64 {
  const left = byteAt(id) > depth ? byteAt(id) - depth : 0;
  if (left == 0) return 0;
  const bytes = big64At(id + 1 + depth);
  const kept: u64 = left >= 7 ? bytes & ~(<u64>0xff) : bytes & (~(<u64>0) << (64 - <u64>left * 8));
  return ((kept & 0x8080808080808080) == 0 ? kept : ranked(kept)) | min(left, 8);
}

function ranked(bytes: u64): u64 {
  let result: u64 = 0;
  for (let shift: u64 = 8; shift < 64; shift += 8) result |= <u64>rankOf(<u32>(bytes >> shift & 0xff)) << shift;
  return result;
}
