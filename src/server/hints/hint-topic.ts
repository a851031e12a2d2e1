import { bytesToHex, utf8 } from '../../shared/bytes.ts';
import { sha256 } from '../../shared/sha256.ts';

/** Names a user on a bus that others may listen to: 16 hexadecimal digits that say nothing of the user. Two users with one name cost a poll. */
export function hintTopic(tenant: string, user: string): string {
  return bytesToHex(sha256(utf8(JSON.stringify([tenant, user]))).subarray(0, 8));
}
