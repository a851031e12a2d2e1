/** Names a record inside the client: `object/id`. Object names hold no slash, so two records never share a key. */
export type Key = string;

export function keyOf(object: string, id: string): Key {
  return `${object}/${id}`;
}

export function splitKey(key: Key): { readonly object: string; readonly id: string } {
  const slash = key.indexOf('/');
  return { object: key.slice(0, slash), id: key.slice(slash + 1) };
}
