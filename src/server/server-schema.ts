import type { Field } from '../protocol/field.ts';
import { layoutsOf, type Layout } from '../protocol/layout.ts';
import type { Schema } from '../protocol/schema.ts';

/** The field that names a record's master. */
export interface ParentField {
  readonly name: string;
  readonly position: number;
  readonly target: string;
  /** Master and children are one transaction group (rule A15). */
  readonly isGroup: boolean;
}

/** An object with what the server asks of it again and again. */
export interface ServerObject {
  readonly name: string;
  readonly layout: Layout;
  readonly isOverride: boolean;
  /** In layout order. */
  readonly fields: readonly Field[];
  readonly parent: ParentField | null;
  /** Objects whose parent field points here. */
  readonly children: readonly { readonly name: string; readonly isGroup: boolean }[];
  readonly recordIdField: number | null;
  /** How many masters are above, at most. */
  readonly depth: number;
}

/** The schema as the server reads it. Objects keep the schema's order. */
export interface ServerSchema {
  readonly hash: string;
  readonly objects: ReadonlyMap<string, ServerObject>;
}

/** Derives a {@link ServerSchema}. */
export function createServerSchema(schema: Schema): ServerSchema {
  const layouts = layoutsOf(schema);
  const parents = new Map(Object.entries(schema.objects).map(([name, { fields }]) => [name, findParent(fields)]));
  const objects = Object.entries(schema.objects).map(([name, definition]): [string, ServerObject] => {
    const fields = Object.values(definition.fields);
    const recordIdField = fields.findIndex(({ owner }) => owner === 'record-id');
    return [name, {
      name,
      layout: layouts.get(name)!,
      isOverride: definition.mode === 'override',
      fields,
      parent: parents.get(name)!,
      children: [...parents].flatMap(([child, parent]) => (parent?.target === name ? [{ name: child, isGroup: parent.isGroup }] : [])),
      recordIdField: recordIdField < 0 ? null : recordIdField,
      depth: depthOf(name, parents),
    }];
  });
  return { hash: schema.hash, objects: new Map(objects) };
}

function findParent(fields: Readonly<Record<string, Field>>): ParentField | null {
  const position = Object.values(fields).findIndex(({ parent }) => parent === true);
  if (position < 0) return null;
  const [name, field] = Object.entries(fields)[position]!;
  return { name, position, target: field.target!, isGroup: field.group === true };
}

function depthOf(name: string, parents: ReadonlyMap<string, ParentField | null>): number {
  const seen = new Set([name]);
  for (let parent = parents.get(name) ?? null; parent !== null && !seen.has(parent.target); parent = parents.get(parent.target) ?? null) {
    seen.add(parent.target);
  }
  return seen.size - 1;
}
