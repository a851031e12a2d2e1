import { RESULT_COUNT, RESULT_OFFSET, RESULT_SECOND_OFFSET, RESULT_THIRD_OFFSET, STATUS_INDEX_FULL, STATUS_OK } from './layout';
import { setWord } from './bytes';

// Readers answer with the address behind what they read, or 0: refused. No region begins at 0.

/** Why and where the last reader refused. Written before each 0 and read only after one, so nothing needs to reset them. */
let status: i32 = STATUS_OK;
let refusedAt: usize = 0;

/** Notes why the value at an address is refused. */
export function refuse(reason: i32, at: usize): usize {
  status = reason;
  refusedAt = at;
  return 0;
}

/** Ends a call that was refused: the offset says where in its region. */
export function endRefused(region: usize, result: usize): i32 {
  setResult(result, 0, <u32>(refusedAt - region));
  return status;
}

/** Ends a call that is to be made again from this offset on, with more room. */
export function endFull(offset: u32, count: u32, result: usize): i32 {
  setResult(result, count, offset);
  return STATUS_INDEX_FULL;
}

export function endOk(count: u32, result: usize): i32 {
  setResult(result, count, 0);
  return STATUS_OK;
}

/** Why the last reader refused. */
export function reasonOfRefusal(): i32 {
  return status;
}

/** Where the last reader refused. */
export function placeOfRefusal(): usize {
  return refusedAt;
}

/** Ends a batch: the offsets say where the first pair that is not done begins. */
export function endBatch(isDone: bool, count: u32, offset: usize, secondOffset: usize, thirdOffset: usize, result: usize): i32 {
  setResult(result, count, <u32>offset);
  setWord(result + RESULT_SECOND_OFFSET * 4, <u32>secondOffset);
  setWord(result + RESULT_THIRD_OFFSET * 4, <u32>thirdOffset);
  return isDone ? STATUS_OK : status;
}

function setResult(result: usize, count: u32, offset: u32): void {
  setWord(result + RESULT_OFFSET * 4, offset);
  setWord(result + RESULT_COUNT * 4, count);
}
