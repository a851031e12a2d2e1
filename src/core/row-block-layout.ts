// Rows of one object, sorted by id, in one byte array. Words are little-endian u32, and the array may begin at any byte offset.
//
//   word 0             format: 1
//   word 1             count
//   2 words per row    where its id ends, where its value ends, as offsets into the data
//   data               id as UTF-8, value, id, value, …   (a row begins where the one before ends, the first at 0)

/** The format that this build writes, and the only one that it reads. */
export const ROW_BLOCK_FORMAT = 1;

/** Bytes before the ends of the first row. */
export const ROW_BLOCK_HEADER_BYTES = 8;

/** Bytes of a row's ends. */
export const ROW_ENDS_BYTES = 8;

/** Decodes ids, and refuses what is not well-formed. */
export const decoder: TextDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Counts the rows. */
export function countOf(block: Uint8Array): number {
  return wordAt(block, 4);
}

/** The id of a row. */
export function idAt(block: Uint8Array, index: number): string {
  const start = rowStart(block, index), end = dataOf(block) + keyEndOf(block, index);
  let text = '';
  // Most ids are short and ASCII, and a decoder's call costs more than the loop.
  for (let at = start; at < end && block[at]! < 0x80; at++) text += String.fromCharCode(block[at]!);
  return text.length === end - start ? text : decoder.decode(block.subarray(start, end));
}

/** The id of a row as UTF-8: a view. */
export function idBytesAt(block: Uint8Array, index: number): Uint8Array {
  return block.subarray(rowStart(block, index), dataOf(block) + keyEndOf(block, index));
}

/** The value of a row: a view. */
export function valueAt(block: Uint8Array, index: number): Uint8Array {
  const data = dataOf(block);
  return block.subarray(data + keyEndOf(block, index), data + valueEndOf(block, index));
}

/** Where the data begins. */
export function dataOf(block: Uint8Array): number {
  return ROW_BLOCK_HEADER_BYTES + countOf(block) * ROW_ENDS_BYTES;
}

/** Where a row begins in the block; for the count of rows, where the last one ends. */
export function rowStart(block: Uint8Array, index: number): number {
  return dataOf(block) + (index === 0 ? 0 : valueEndOf(block, index - 1));
}

/** Where the id of a row ends, from where the data begins. */
export function keyEndOf(block: Uint8Array, index: number): number {
  return wordAt(block, ROW_BLOCK_HEADER_BYTES + index * ROW_ENDS_BYTES);
}

/** Where a row ends, from where the data begins. */
export function valueEndOf(block: Uint8Array, index: number): number {
  return wordAt(block, ROW_BLOCK_HEADER_BYTES + index * ROW_ENDS_BYTES + 4);
}

/** A little-endian u32 at any place. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
