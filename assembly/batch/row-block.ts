import { ROW_BLOCK_FORMAT, ROW_BLOCK_HEADER_BYTES, ROW_ENDS_BYTES } from '../layout';
import { wordAt } from '../bytes';

// Rows of one object in id order, in one piece: src/core/row-block.ts has the picture. A row is checked when it is looked at.

/** Says whether a block has the ends of as many rows as it says. */
export function isBlock(block: usize, blockBytes: u32): bool {
  if (blockBytes < <u32>ROW_BLOCK_HEADER_BYTES || wordAt(block) != ROW_BLOCK_FORMAT) return false;
  return ROW_BLOCK_HEADER_BYTES + <u64>rowCount(block) * ROW_ENDS_BYTES <= blockBytes;
}

export function rowCount(block: usize): u32 {
  return wordAt(block + 4);
}

/** Where the ids and values begin. */
export function dataOf(block: usize): usize {
  return block + ROW_BLOCK_HEADER_BYTES + rowCount(block) * ROW_ENDS_BYTES;
}

export function keyEndOf(block: usize, row: u32): u32 {
  return wordAt(block + ROW_BLOCK_HEADER_BYTES + row * ROW_ENDS_BYTES);
}

export function valueEndOf(block: usize, row: u32): u32 {
  return wordAt(block + ROW_BLOCK_HEADER_BYTES + row * ROW_ENDS_BYTES + 4);
}

/** Where a row begins among the data. */
export function startOf(block: usize, row: u32): u32 {
  return row == 0 ? 0 : valueEndOf(block, row - 1);
}

/** Says whether the id of a row lies in the block. */
export function isIdInside(block: usize, blockEnd: usize, row: u32): bool {
  const keyEnd = keyEndOf(block, row);
  return startOf(block, row) <= keyEnd && keyEnd <= <u32>(blockEnd - dataOf(block));
}
