import { malformed } from './malformed.ts';

/** Reads one part of a message, which `what` names in a fault. @throws {@link SyncFault} `PROTOCOL_MALFORMED` */
export type Shape<T> = (value: unknown, what: string) => T;

/** Longest name or id in a message, in UTF-16 code units. */
const MAX_NAME = 255;
/** Most members of a list that has no limit of its own: the core bounds what a body of so many bytes can hold. */
const MAX_COUNT = 5_000_000;

export function text(value: unknown, what: string, most: number = MAX_NAME): string {
  return typeof value === 'string' && value.length <= most ? value : malformed(`${what} is not text of at most ${most}`);
}

/** A whole number from 0 up. */
export function wholeNumber(value: unknown, what: string): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : malformed(`${what} is not a whole number from 0 up`);
}

export function trueOrFalse(value: unknown, what: string): boolean {
  return typeof value === 'boolean' ? value : malformed(`${what} is not true or false`);
}

export function binary(value: unknown, what: string): Uint8Array {
  if (!(value instanceof Uint8Array)) return malformed(`${what} is not binary`);
  // A Buffer's `slice` shares memory where a Uint8Array's copies.
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

export function oneOf<const T extends string>(names: readonly T[]): Shape<T> {
  return (value, what) => names.find((name) => name === value) ?? malformed(`${what} is none of ${names.join(', ')}`);
}

export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return (value, what) => (value === null ? null : shape(value, what));
}

export function listOf<T>(shape: Shape<T>, most: number = MAX_COUNT): Shape<T[]> {
  return (value, what) =>
    Array.isArray(value) && value.length <= most ? value.map((member) => shape(member, what)) : malformed(`${what} is not a list of at most ${most}`);
}

export function pairOf<First, Second>(first: Shape<First>, second: Shape<Second>): Shape<[First, Second]> {
  return (value, what) =>
    Array.isArray(value) && value.length === 2 ? [first(value[0], what), second(value[1], what)] : malformed(`${what} is not a list of 2`);
}

/** A map with these keys; any other that it has is left behind. */
export function mapOf<T extends object>(shapes: { readonly [Key in keyof T]-?: Shape<T[Key]> }): Shape<T> {
  const keys = Object.entries<Shape<unknown>>(shapes);
  return (value, what) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) return malformed(`${what} is not a map`);
    const map = value as Readonly<Record<string, unknown>>;
    return Object.fromEntries(keys.map(([key, shape]) => [key, shape(map[key], key)])) as T;
  };
}
