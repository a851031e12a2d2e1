const HEX = '0123456789abcdef';

/** Writes bytes as lower-case hexadecimal. */
export function bytesToHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte >> 4]! + HEX[byte & 15]!;
  return text;
}

/** Says whether two byte strings are equal. */
export function bytesEqual(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}

/** Orders two byte strings as a dictionary does, shorter first when one begins the other. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index++) {
    const difference = left[index]! - right[index]!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Copies bytes. Not `bytes.slice()`: that of Node's `Buffer` shares memory instead of copying. */
export function copyBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** Joins byte strings into one new one. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/**
 * Names content by a 64-bit FNV-1a hash, as 16 hexadecimal digits. Not a cryptographic hash: it names layouts, schemas and request
 * bodies inside one user's own store, where a forged collision could only hurt its forger (docs/decisions/0003).
 */
export function hashBytes(bytes: Uint8Array): string {
  // FNV-1a, prime 2^40 + 0x1b3, on four 16-bit limbs so that every product stays exact.
  let a = 0x2325, b = 0x8422, c = 0x9ce4, d = 0xcbf2;
  for (let index = 0; index < bytes.length; index++) {
    a ^= bytes[index]!;
    const lowA = a * 0x1b3;
    const lowB = b * 0x1b3 + (lowA >>> 16);
    const lowC = c * 0x1b3 + (a << 8) + (lowB >>> 16);
    const lowD = d * 0x1b3 + (b << 8) + (lowC >>> 16);
    a = lowA & 0xffff;
    b = lowB & 0xffff;
    c = lowC & 0xffff;
    d = lowD & 0xffff;
  }
  return [d, c, b, a].map((limb) => limb.toString(16).padStart(4, '0')).join('');
}

const encoder = new TextEncoder();

/** Encodes text as UTF-8. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}
