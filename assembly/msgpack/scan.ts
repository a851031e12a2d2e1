import { MAX_MESSAGE_DEPTH, STATUS_TOO_DEEP, STATUS_TRAILING_BYTES } from '../layout';
import { setWord, wordAt } from '../bytes';
import { refuse } from '../refusal';
import { membersAt, skipHead } from './skip';

// Values still to come at each depth, a word each; every scan begins by writing the first.
const LEFT: usize = memory.data((MAX_MESSAGE_DEPTH + 1) * 4, 4);

/** Checks that bytes are one msgpack value, nested at most MAX_MESSAGE_DEPTH deep. */
export function scanValue(message: usize, end: usize): usize {
  const deepest = LEFT + MAX_MESSAGE_DEPTH * 4;
  let left = LEFT;
  let at = message;
  setWord(left, 1);
  while (true) {
    if (wordAt(left) == 0) {
      if (left == LEFT) break;
      left -= 4;
      continue;
    }
    setWord(left, wordAt(left) - 1);
    const next = skipHead(at, end);
    if (next == 0) return 0;
    const members = <u32>membersAt(at);
    if (members != 0) {
      if (left == deepest) return refuse(STATUS_TOO_DEEP, at);
      left += 4;
      setWord(left, members);
    }
    at = next;
  }
  return at == end ? at : refuse(STATUS_TRAILING_BYTES, at);
}
