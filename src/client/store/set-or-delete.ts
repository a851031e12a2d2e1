/** Puts a value into a map; `null` takes out what is there. */
export function setOrDelete<Name, Value>(map: Map<Name, Value>, name: Name, value: Value | null): void {
  if (value === null) map.delete(name);
  else map.set(name, value);
}
