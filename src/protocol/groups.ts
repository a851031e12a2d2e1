import type { SchemaDefinition } from './schema.ts';

/** How an object hangs on the one above it in its transaction group (rule A15). */
export interface GroupParent {
  /** The reference field. */
  readonly field: string;
  /** The object above. */
  readonly target: string;
}

/** The group parent of an object; `null` for a header, and for objects outside groups. */
export function groupParentOf(schema: Pick<SchemaDefinition, 'objects'>, object: string): GroupParent | null {
  const found = Object.entries(schema.objects[object]?.fields ?? {}).find(([, { parent, group }]) => parent === true && group === true);
  return found === undefined ? null : { field: found[0], target: found[1].target! };
}

/** The objects of a header's group, parents before children, the header first; only itself where nothing hangs on it. */
export function groupObjectsOf(schema: Pick<SchemaDefinition, 'objects'>, header: string): string[] {
  const found = [header];
  // Grows while it is walked: children of children come after their parents.
  for (const above of found) {
    for (const object of Object.keys(schema.objects)) {
      if (!found.includes(object) && groupParentOf(schema, object)?.target === above) found.push(object);
    }
  }
  return found;
}

/** The object that leads an object's group; `null` for objects outside groups. One that can be submitted leads itself at least. */
export function groupHeaderOf(schema: Pick<SchemaDefinition, 'objects'>, object: string): string | null {
  let header = object;
  for (let parent = groupParentOf(schema, object); parent !== null; parent = groupParentOf(schema, header)) header = parent.target;
  const isAlone = header === object && schema.objects[object]?.submitted === undefined && groupObjectsOf(schema, object).length === 1;
  return isAlone ? null : header;
}
