import { byteAt, longAt } from './bytes';

// The state of one hash, between start and finish of it; hashBytes sets all four words anew.
let a: u64 = 0;
let b: u64 = 0;
let c: u64 = 0;
let d: u64 = 0;

/**
 * SipHash-1-3 of a number and some bytes. Keyed by a secret seed of 16 bytes, so that nobody can prepare ids that all fall into one slot.
 */
export function hashRecord(seed: usize, object: u32, at: usize, byteLength: u32): u32 {
  const key = longAt(seed), otherKey = longAt(seed + 8);
  a = key ^ 0x736f6d6570736575;
  b = otherKey ^ 0x646f72616e646f6d;
  c = key ^ 0x6c7967656e657261;
  d = otherKey ^ 0x7465646279746573;
  absorb(object);
  const end = at + byteLength;
  for (; end - at >= 8; at += 8) absorb(longAt(at));
  let last = <u64>byteLength << 56;
  for (let shift: u64 = 0; at < end; at++, shift += 8) last |= <u64>byteAt(at) << shift;
  absorb(last);
  c ^= 0xff;
  mix();
  mix();
  mix();
  const hash = a ^ b ^ c ^ d;
  return <u32>hash ^ <u32>(hash >> 32);
}

function absorb(word: u64): void {
  d ^= word;
  mix();
  a ^= word;
}

function mix(): void {
  a += b;
  b = rotl(b, 13) ^ a;
  a = rotl(a, 32);
  c += d;
  d = rotl(d, 16) ^ c;
  a += d;
  d = rotl(d, 21) ^ a;
  c += b;
  b = rotl(b, 17) ^ c;
  c = rotl(c, 32);
}
