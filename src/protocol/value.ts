import { utf8 } from '../shared/bytes.ts';
import { SyncFault } from '../shared/fault.ts';
import type { FieldType, FieldValue, JsonValue } from './field.ts';

/** What one value may be at most. The core and every server refuse anything beyond. */
export const VALUE_LIMITS = {
  /** Longest text, in bytes of UTF-8. */
  textBytes: 1_048_576,
  /** Longest id, in bytes of UTF-8. */
  idBytes: 255,
  /** Most digits of a decimal. */
  decimalDigits: 60,
  /** Deepest nesting of a `json` value: a scalar is at depth 0. */
  jsonDepth: 16,
  /** First instant, 0000-01-01T00:00:00.000Z, in milliseconds since 1970. */
  firstInstantMs: -62_167_219_200_000,
  /** Last instant, 9999-12-31T23:59:59.999Z, in milliseconds since 1970. */
  lastInstantMs: 253_402_300_799_999,
} as const;

/**
 * Brings a host's value into the one form that it has in rows: decimals without padding, instants in UTC, sets sorted, empty text as
 * no value. Equal values then have equal bytes, so every comparison in Fieldtide is a comparison of bytes (rule A19).
 *
 * @param path - names field and record in the fault.
 * @throws {@link SyncFault} `VALUE_INVALID` when the value cannot be represented exactly.
 */
export function canonicalValue(type: FieldType, value: unknown, path: string): FieldValue {
  if (value === null || value === undefined) return null;
  switch (type) {
    case 'text': return canonicalText(value, path) || null;
    case 'textKeepingEmpty': return canonicalText(value, path);
    case 'integer': return canonicalInteger(value, path);
    case 'number': return canonicalNumber(value, path);
    case 'decimal': return canonicalDecimal(value, path);
    case 'boolean': return typeof value === 'boolean' ? value : refuse(path, value, 'must be true or false');
    case 'date': return canonicalDate(value, path);
    case 'dateTime': return new Date(instantOf(value, path)).toISOString();
    case 'picklist':
    case 'reference': return canonicalText(value, path) || null;
    case 'multiPicklist': return canonicalSet(value, path);
    case 'json': return canonicalJson(value, path, 0);
  }
}

function canonicalText(value: unknown, path: string): string {
  if (typeof value !== 'string') return refuse(path, value, 'must be text');
  if (/\p{Surrogate}/u.test(value)) refuse(path, value, 'holds half of a surrogate pair');
  if (value.length > VALUE_LIMITS.textBytes / 3 && utf8(value).length > VALUE_LIMITS.textBytes) {
    refuse(path, value, `is longer than ${VALUE_LIMITS.textBytes} bytes`);
  }
  return value;
}

function canonicalInteger(value: unknown, path: string): number {
  if (!Number.isSafeInteger(value)) return refuse(path, value, 'must be a whole number between -(2^53 - 1) and 2^53 - 1');
  return (value as number) + 0; // -0 + 0 is 0
}

function canonicalNumber(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) return refuse(path, value, 'must be a finite number');
  return value + 0;
}

function canonicalDecimal(value: unknown, path: string): string {
  const parts = typeof value === 'string' ? /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(value) : null;
  if (parts === null) return refuse(path, value, "must be a decimal as text, such as '12.5'");
  const whole = parts[2]!.replace(/^0+(?=\d)/, '');
  const fraction = (parts[3] ?? '').replace(/0+$/, '');
  if (whole.length + fraction.length > VALUE_LIMITS.decimalDigits) refuse(path, value, `has more than ${VALUE_LIMITS.decimalDigits} digits`);
  const magnitude = fraction === '' ? whole : `${whole}.${fraction}`;
  return parts[1] === '-' && magnitude !== '0' ? `-${magnitude}` : magnitude;
}

function canonicalDate(value: unknown, path: string): string {
  return typeof value === 'string' && isCalendarDate(value) ? value : refuse(path, value, "must be a calendar date, such as '2026-11-21'");
}

function isCalendarDate(text: string): boolean {
  const date = new Date(/^\d{4}-\d\d-\d\d$/.test(text) ? text : Number.NaN);
  // Some engines take February 30 for March 2.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/**
 * Reads an instant as milliseconds since 1970: a `Date`, or ISO 8601 text with a zone.
 *
 * @internal
 */
export function instantOf(value: unknown, path: string): number {
  const instant = value instanceof Date ? value.getTime() : parseInstant(value);
  if (Number.isNaN(instant) || instant < VALUE_LIMITS.firstInstantMs || instant > VALUE_LIMITS.lastInstantMs) {
    return refuse(path, value, "must be an instant with its zone and whole milliseconds, such as '2026-11-21T08:30:00.000Z'");
  }
  return instant + 0;
}

function parseInstant(value: unknown): number {
  if (typeof value !== 'string') return Number.NaN;
  const parts = /^([\d-]{10})(T(?:[01]\d|2[0-3]):[0-5]\d)(?:(:[0-5]\d)(?:\.(\d{1,3})0*)?)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/.exec(value);
  if (parts === null) return Number.NaN;
  const [, date = '', time, seconds = ':00', fraction = '', zone] = parts;
  // In full, as every engine reads it alike.
  return isCalendarDate(date) ? Date.parse(`${date}${time}${seconds}.${fraction.padEnd(3, '0')}${zone}`) : Number.NaN;
}

function canonicalSet(value: unknown, path: string): readonly string[] | null {
  if (!Array.isArray(value)) return refuse(path, value, 'must be a list of texts');
  // `Array.from` visits holes too, which `map` would step over.
  const members = new Set(Array.from(value, (member) => canonicalText(member, path)));
  if (members.has('')) refuse(path, value, 'holds an empty text');
  return members.size === 0 ? null : [...members].sort(compareTexts);
}

function canonicalJson(value: unknown, path: string, depth: number): JsonValue {
  if (depth > VALUE_LIMITS.jsonDepth) refuse(path, '…', `is nested deeper than ${VALUE_LIMITS.jsonDepth}`);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return canonicalText(value, path);
  if (typeof value === 'number') return canonicalNumber(value, path);
  if (Array.isArray(value)) return Array.from(value, (member) => canonicalJson(member, path, depth + 1));
  if (!isPlainObject(value)) return refuse(path, value, 'holds something that is no JSON');
  const object: Record<string, JsonValue> = {};
  // A key without a value (undefined) is no key, as in JSON text.
  const keys = Object.keys(value).filter((name) => value[name] !== undefined);
  for (const key of keys.sort(compareTexts)) {
    setKey(object, canonicalText(key, path), canonicalJson(value[key], path, depth + 1));
  }
  return object;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  // Objects from another realm (a worker, a frame) have another Object.prototype, whose own prototype is null all the same.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Sets a key as plain data: `__proto__` too becomes an own property.
 *
 * @internal
 */
export function setKey<T>(object: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

/**
 * Orders texts by their UTF-8 bytes, which is by code point: `<` does not once a surrogate pair meets U+E000 and above.
 *
 * @internal
 */
export function compareTexts(left: string, right: string): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index++) {
    const a = left.charCodeAt(index), b = right.charCodeAt(index);
    if (a === b) continue;
    const isSurrogateA = (a & 0xf800) === 0xd800, isSurrogateB = (b & 0xf800) === 0xd800;
    return isSurrogateA === isSurrogateB ? a - b : isSurrogateA ? 1 : -1;
  }
  return left.length - right.length;
}

function refuse(path: string, value: unknown, problem: string): never {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : describe(value);
  throw new SyncFault('VALUE_INVALID', `${path} ${problem}; got ${shown}`, { details: { field: path, value: shown } });
}

function describe(value: unknown): string {
  return typeof value === 'object' || typeof value === 'function' ? Object.prototype.toString.call(value) : String(value);
}
