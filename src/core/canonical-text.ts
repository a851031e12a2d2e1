const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** Says whether bytes are well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF (Unicode, table 3-7). */
export function isUtf8(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from;
  while (at < to) {
    const lead = bytes[at]!;
    at++;
    if (lead < 0x80) continue;
    const continuations = lead >= 0xc2 && lead <= 0xdf ? 1 : lead >= 0xe0 && lead <= 0xef ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
    if (continuations === 0 || at + continuations > to) return false;
    // Only the byte behind the lead has a range of its own: it rules out overlong forms, surrogates and what is above U+10FFFF.
    const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (bytes[at]! < lowest || bytes[at]! > highest) return false;
    for (let next = at + 1; next < at + continuations; next++) if ((bytes[next]! & 0xc0) !== 0x80) return false;
    at += continuations;
  }
  return true;
}

/** Counts the digits of `-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?` without "-0"; 0 when the bytes are no such decimal. */
export function measureDecimal(bytes: Uint8Array, from: number, to: number): number {
  const wholeAt = from < to && bytes[from] === MINUS ? from + 1 : from;
  const wholeEnd = skipDigits(bytes, wholeAt, to);
  const whole = wholeEnd - wholeAt;
  if (whole === 0 || (whole > 1 && bytes[wholeAt] === ZERO)) return 0;
  if (wholeEnd === to) return wholeAt > from && bytes[wholeAt] === ZERO ? 0 : whole;
  const fractionAt = wholeEnd + 1;
  const isFraction = bytes[wholeEnd] === POINT && fractionAt < to && skipDigits(bytes, fractionAt, to) === to && bytes[to - 1] !== ZERO;
  return isFraction ? whole + to - fractionAt : 0;
}

/** Says whether bytes are a date of the calendar, as `2026-11-21`. */
export function isCanonicalDate(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== 10 || bytes[from + 4] !== MINUS || bytes[from + 7] !== MINUS) return false;
  const year = readDigits(bytes, from, 4), month = readDigits(bytes, from + 5, 2), day = readDigits(bytes, from + 8, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1) return false;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day <= DAYS_OF_MONTH[month - 1]! + (isLeap && month === 2 ? 1 : 0);
}

function skipDigits(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && isDigit(bytes[at]!)) at++;
  return at;
}

function readDigits(bytes: Uint8Array, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at++) {
    if (!isDigit(bytes[at]!)) return -1;
    value = value * 10 + bytes[at]! - ZERO;
  }
  return value;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9;
}
