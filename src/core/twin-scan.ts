import {
  MAX_MESSAGE_DEPTH,
  STATUS_TOO_DEEP,
  STATUS_TOO_MANY,
  STATUS_TRAILING_BYTES,
  STATUS_TRUNCATED,
  STATUS_UNEXPECTED_TYPE,
} from '../../assembly/layout.ts';
import { Refused } from './refusal.ts';

/**
 * Checks that bytes are one msgpack value: nested at most {@link MAX_MESSAGE_DEPTH} deep, with declared lengths and counts that the
 * bytes left can hold, and no extension types.
 */
export function scanMessage(message: Uint8Array): { readonly ok: true } {
  const head: Head = { end: 0, members: 0 };
  const left = [1]; // values still to come at each depth; the message itself is one
  while (left.length > 0) {
    const depth = left.length - 1;
    if (left[depth] === 0) {
      left.pop();
      continue;
    }
    left[depth]!--;
    const start = head.end;
    readHead(message, start, head);
    if (head.members === 0) continue;
    if (depth === MAX_MESSAGE_DEPTH) throw new Refused(STATUS_TOO_DEEP, start);
    left.push(head.members);
  }
  if (head.end < message.length) throw new Refused(STATUS_TRAILING_BYTES, head.end);
  return { ok: true };
}

/** Steps over one value with all its members, and returns where it ends. */
export function skipValue(bytes: Uint8Array, start: number): number {
  const head: Head = { end: start, members: 0 };
  for (let left = 1; left > 0; left += head.members - 1) readHead(bytes, head.end, head);
  return head.end;
}

/** A value without its members: where it ends, and how many values behind it are its members. */
interface Head {
  end: number;
  members: number;
}

function readHead(bytes: Uint8Array, start: number, head: Head): void {
  if (start >= bytes.length) throw new Refused(STATUS_TRUNCATED, start);
  const tag = bytes[start]!;
  if (tag < 0x80 || tag >= 0xe0) close(bytes, start, 1, 0, head);
  else if (tag < 0x90) close(bytes, start, 1, (tag & 15) * 2, head);
  else if (tag < 0xa0) close(bytes, start, 1, tag & 15, head);
  else if (tag < 0xc0) close(bytes, start, 1 + (tag & 31), 0, head);
  else readTagged(bytes, start, tag, head);
}

function readTagged(bytes: Uint8Array, start: number, tag: number, head: Head): void {
  switch (tag) {
    case 0xc0: case 0xc2: case 0xc3: return close(bytes, start, 1, 0, head);
    case 0xcc: case 0xd0: return close(bytes, start, 2, 0, head);
    case 0xcd: case 0xd1: return close(bytes, start, 3, 0, head);
    case 0xca: case 0xce: case 0xd2: return close(bytes, start, 5, 0, head);
    case 0xcb: case 0xcf: case 0xd3: return close(bytes, start, 9, 0, head);
    case 0xc4: case 0xd9: return close(bytes, start, 2 + readLength(bytes, start, 1), 0, head);
    case 0xc5: case 0xda: return close(bytes, start, 3 + readLength(bytes, start, 2), 0, head);
    case 0xc6: case 0xdb: return close(bytes, start, 5 + readLength(bytes, start, 4), 0, head);
    case 0xdc: return close(bytes, start, 3, readLength(bytes, start, 2), head);
    case 0xdd: return close(bytes, start, 5, readLength(bytes, start, 4), head);
    case 0xde: return close(bytes, start, 3, readLength(bytes, start, 2) * 2, head);
    case 0xdf: return close(bytes, start, 5, readLength(bytes, start, 4) * 2, head);
    // 0xc1 begins nothing, the others are extension types.
    default: throw new Refused(STATUS_UNEXPECTED_TYPE, start);
  }
}

function close(bytes: Uint8Array, start: number, byteLength: number, members: number, head: Head): void {
  const left = bytes.length - start - byteLength;
  if (left < 0) throw new Refused(STATUS_TRUNCATED, start);
  if (members > left) throw new Refused(STATUS_TOO_MANY, start);
  head.end = start + byteLength;
  head.members = members;
}

function readLength(bytes: Uint8Array, start: number, size: 1 | 2 | 4): number {
  if (start + 1 + size > bytes.length) throw new Refused(STATUS_TRUNCATED, start);
  let length = 0;
  for (let at = start + 1; at <= start + size; at++) length = length * 0x100 + bytes[at]!;
  return length;
}
