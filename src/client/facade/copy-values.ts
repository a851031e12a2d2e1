/** Deeper than any value may be nested: what is below is left for the engine to refuse. */
const DEPTH = 32;

/**
 * Copies what a host hands over, so that a save holds what the values were when it was called: a form may go on changing its own
 * object while the save waits. A field whose value is `undefined` is left out; to take a value away, say `null`.
 */
export function copyValues(values: object): Record<string, unknown> {
  return copyObject(values, 0);
}

function copyObject(source: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(source)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, copyValue(value, depth + 1)]),
  );
}

function copyValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > DEPTH) return value;
  if (value instanceof Date) return new Date(value.getTime());
  if (Array.isArray(value)) return value.map((member) => copyValue(member, depth + 1));
  // Anything but plain data goes on as it is: the engine says what is wrong with it.
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? copyObject(value, depth) : value;
}
