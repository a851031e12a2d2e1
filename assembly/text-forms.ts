import { byteAt } from './bytes';

// Texts with a form of their own, all ASCII: decimals and dates.

const MINUS: u32 = 0x2d;
const POINT: u32 = 0x2e;
const ZERO: u32 = 0x30;

/** Counts the digits of `-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?` without "-0"; 0 when the bytes are no such decimal. */
export function measureDecimal(from: usize, to: usize): u32 {
  const isNegative = from < to && byteAt(from) == MINUS;
  const wholeAt = isNegative ? from + 1 : from;
  const wholeEnd = skipDigits(wholeAt, to);
  const whole = <u32>(wholeEnd - wholeAt);
  if (whole == 0 || (whole > 1 && byteAt(wholeAt) == ZERO)) return 0;
  if (wholeEnd == to) return isNegative && byteAt(wholeAt) == ZERO ? 0 : whole;
  const fractionAt = wholeEnd + 1;
  if (byteAt(wholeEnd) != POINT || fractionAt == to || skipDigits(fractionAt, to) != to || byteAt(to - 1) == ZERO) return 0;
  return whole + <u32>(to - fractionAt);
}

/** Says whether bytes are a date of the calendar, as `2026-11-21`. */
export function isCalendarDate(from: usize, to: usize): bool {
  if (to - from != 10 || byteAt(from + 4) != MINUS || byteAt(from + 7) != MINUS) return false;
  if (skipDigits(from, to) != from + 4 || skipDigits(from + 5, to) != from + 7 || skipDigits(from + 8, to) != to) return false;
  const year = twoDigits(from) * 100 + twoDigits(from + 2);
  const month = twoDigits(from + 5);
  const day = twoDigits(from + 8);
  return month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month);
}

function daysOf(year: u32, month: u32): u32 {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

function twoDigits(at: usize): u32 {
  return (byteAt(at) - ZERO) * 10 + (byteAt(at + 1) - ZERO);
}

function skipDigits(at: usize, to: usize): usize {
  while (at < to && byteAt(at) - ZERO < 10) at++;
  return at;
}
