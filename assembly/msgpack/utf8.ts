import { asciiUntil, byteAt } from '../bytes';

/** Says whether bytes are well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF (Unicode, table 3-7). */
export function isUtf8(at: usize, end: usize): bool {
  while (true) {
    at = asciiUntil(at, end);
    if (at == end) return true;
    const continuations = continuationsOf(byteAt(at));
    if (continuations == 0 || <u32>(end - at) <= continuations || !isSecond(byteAt(at), byteAt(at + 1))) return false;
    for (let next: u32 = 2; next <= continuations; next++) if ((byteAt(at + next) & 0xc0) != 0x80) return false;
    at += 1 + continuations;
  }
}

function continuationsOf(lead: u32): u32 {
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 1;
  if (lead < 0xf0) return 2;
  return lead < 0xf5 ? 3 : 0;
}

/** The byte behind the lead has a range of its own: it rules out overlong forms, surrogates and what is above U+10FFFF. */
function isSecond(lead: u32, second: u32): bool {
  switch (lead) {
    case 0xe0: return second >= 0xa0 && second <= 0xbf;
    case 0xed: return second >= 0x80 && second <= 0x9f;
    case 0xf0: return second >= 0x90 && second <= 0xbf;
    case 0xf4: return second >= 0x80 && second <= 0x8f;
    default: return (second & 0xc0) == 0x80;
  }
}
