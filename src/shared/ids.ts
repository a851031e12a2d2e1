import { bytesToHex } from './bytes.ts';
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

/**
 * Makes a UUIDv7 (RFC 9562): 48 bits of wall time, then randomness. The time part only keeps ids of one device near each other in
 * an index; uniqueness rests on the 74 random bits, so a wrong device clock does no harm.
 */
export function createId(clock: Clock, random: Random): string {
  const bytes = random.bytes(16);
  const now = Math.max(0, Math.floor(clock.now()));
  for (let index = 0, left = now; index < 6; index++) {
    bytes[5 - index] = left % 256;
    left = Math.floor(left / 256);
  }
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytesToHex(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
