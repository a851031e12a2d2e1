import { concatBytes } from '../../src/shared/bytes.ts';

// The parts of an input, as native/input.h reads them.

export function byte(value: number): Uint8Array {
  return Uint8Array.of(value);
}

export function word16(value: number): Uint8Array {
  return Uint8Array.of(value, value >> 8);
}

/** Little-endian words, as tables have them. */
export function words(values: ArrayLike<number>): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

/** Bytes behind two that say how many they are. */
export function part(bytes: Uint8Array): Uint8Array {
  return concatBytes([word16(bytes.length), bytes]);
}
