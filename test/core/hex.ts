/** Reads hex digits; spaces are for the reader. */
export function hex(digits: string): Uint8Array {
  const bytes = digits.replaceAll(' ', '');
  return Uint8Array.from({ length: bytes.length / 2 }, (_, index) => Number.parseInt(bytes.slice(index * 2, index * 2 + 2), 16));
}
