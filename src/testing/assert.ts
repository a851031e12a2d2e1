import { bytesToHex } from '../shared/bytes.ts';
import { isFault, type FaultCode, type SyncFault } from '../shared/fault.ts';

// The published suites run under whatever test runner a host has, so they bring their own few assertions.

/** Throws unless both show the same; `claim` is the sentence that was expected to hold. */
export function assertEqual(actual: unknown, expected: unknown, claim: string): void {
  const shown = show(actual), wanted = show(expected);
  if (shown !== wanted) throw new Error(`${claim}: expected ${shorten(wanted)}, got ${shorten(shown)}`);
}

/** Throws unless the condition holds. */
export function assertThat(condition: boolean, claim: string): void {
  if (!condition) throw new Error(claim);
}

/** Waits for a call to fail with one of the given codes, and returns the fault. */
export async function assertFault(call: Promise<unknown>, codes: FaultCode | readonly FaultCode[], claim: string): Promise<SyncFault> {
  const wanted = typeof codes === 'string' ? [codes] : codes;
  let answer: unknown;
  try {
    answer = await call;
  } catch (thrown) {
    if (isFault(thrown) && wanted.includes(thrown.code)) return thrown;
    throw new Error(`${claim}: expected a SyncFault ${wanted.join(' or ')}, got ${String(thrown)}`, { cause: thrown });
  }
  throw new Error(`${claim}: expected a SyncFault ${wanted.join(' or ')}, but the call answered ${shorten(show(answer))}`);
}

/** Writes a value as text: bytes as hexadecimal, maps and missing values too. */
function show(value: unknown): string {
  if (value instanceof Uint8Array) return value.length > 64 ? `bytes(${value.length}, ${sum(value)})` : `bytes(${bytesToHex(value)})`;
  if (value instanceof Map) return `map${show([...value])}`;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value).map(([key, member]) => `${key}: ${show(member)}`).join(', ')} }`;
  }
  return value === undefined ? 'undefined' : JSON.stringify(value);
}

function sum(bytes: Uint8Array): number {
  return bytes.reduce((total, byte) => (total * 31 + byte) >>> 0, 7);
}

function shorten(text: string): string {
  return text.length > 400 ? `${text.slice(0, 400)}… (${text.length} characters)` : text;
}
