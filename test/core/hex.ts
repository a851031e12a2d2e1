/** Reads hex digits; spaces are for the reader. */
export function hex(digits: string): Uint8Array {
  const text = digits.replaceAll(' ', '');
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++) bytes[index] = (digitAt(text, index * 2) << 4) | digitAt(text, index * 2 + 1);
  return bytes;
}

function digitAt(text: string, index: number): number {
  const digit = '0123456789abcdef'.indexOf(text.charAt(index));
  if (digit < 0) throw new RangeError(`${text.charAt(index)} is no hex digit`);
  return digit;
}
