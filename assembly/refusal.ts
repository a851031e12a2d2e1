import { RESULT_COUNT, RESULT_OFFSET, STATUS_INDEX_FULL, STATUS_OK } from './layout';
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
  return end(status, <u32>(refusedAt - region), 0, result);
}

/** Ends a call that is to be made again from this offset on, with more room. */
export function endFull(offset: u32, count: u32, result: usize): i32 {
  return end(STATUS_INDEX_FULL, offset, count, result);
}

export function endOk(count: u32, result: usize): i32 {
  return end(STATUS_OK, 0, count, result);
}

function end(reason: i32, offset: u32, count: u32, result: usize): i32 {
  setWord(result + RESULT_OFFSET * 4, offset);
  setWord(result + RESULT_COUNT * 4, count);
  return reason;
}
