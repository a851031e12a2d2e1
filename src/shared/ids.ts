import { bytesToHex } from './bytes.ts';
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

/**
 * Makes a UUIDv7 (RFC 9562): 48 bits of wall time, then randomness. The time part only keeps ids of one device near each other in
 * an index; uniqueness rests on the 74 random bits, so a wrong device clock does no harm.
 */
export function createId(clock: Clock, random: Random): string {
  const bytes = random.bytes(16);
  for (let index = 5, left = Math.max(0, clock.now()); index >= 0; index--, left /= 256) bytes[index] = left;
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytesToHex(bytes);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
