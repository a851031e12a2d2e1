import type { Field } from '../protocol/field.ts';
import { groupHeaderOf, groupObjectsOf } from '../protocol/groups.ts';
import { layoutsOf, type Layout } from '../protocol/layout.ts';
import { encodeValue } from '../protocol/row.ts';
import type { ObjectDefinition, Schema } from '../protocol/schema.ts';

/** The field that names a record's master. */
export interface ParentField {
  readonly name: string;
  readonly position: number;
  readonly target: string;
  /** Master and children are one transaction group (rule A15). */
  readonly isGroup: boolean;
}

/** When a header is submitted, and what becomes of edits made elsewhere (rules A23, A24). Values are canonical bytes. */
export interface SubmittedState {
  readonly position: number;
  readonly values: readonly Uint8Array[];
  readonly elsewhere: 'duplicate' | 'discard' | 'error';
  /** The objects whose records go into a copy; the header's own is none of them. */
  readonly copies: ReadonlySet<string>;
  /** The state of a copy whose original was submitted on both devices. */
  readonly reopenAs: Uint8Array;
  /** The field in which a copy names its original. */
  readonly duplicateOf: number | null;
}

/** An object with what the server asks of it again and again. */
export interface ServerObject {
  readonly name: string;
  readonly layout: Layout;
  readonly isOverride: boolean;
  /** What a conflict leaves clean is saved all the same; of checked objects. */
  readonly keepsCleanFields: boolean;
  /** Of headers that can be submitted. */
  readonly submitted: SubmittedState | null;
  /** The object that leads its transaction group (rule A15); `null` outside groups. */
  readonly header: string | null;
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
      keepsCleanFields: definition.mode !== 'override' && definition.onConflict === 'keepCleanFields',
      submitted: findSubmitted(schema, name, definition, layouts.get(name)!),
      header: groupHeaderOf(schema, name),
      fields,
      parent: parents.get(name)!,
      children: [...parents].flatMap(([child, parent]) => (parent?.target === name ? [{ name: child, isGroup: parent.isGroup }] : [])),
      recordIdField: recordIdField < 0 ? null : recordIdField,
      depth: depthOf(name, parents),
    }];
  });
  return { hash: schema.hash, objects: new Map(objects) };
}

function findSubmitted(schema: Schema, name: string, { submitted }: ObjectDefinition, layout: Layout): SubmittedState | null {
  if (submitted === undefined) return null;
  const { field, values, elsewhere = 'error', copies, reopenAs = null, duplicateOf } = submitted;
  const position = layout.positions.get(field)!;
  const bytesOf = (value: string | null): Uint8Array => encodeValue(layout.fields[position]!.type, value, `${name}.${field}`);
  return {
    position,
    values: values.map(bytesOf),
    elsewhere,
    copies: new Set(copies ?? groupObjectsOf(schema, name).slice(1)),
    reopenAs: bytesOf(reopenAs),
    duplicateOf: duplicateOf === undefined ? null : layout.positions.get(duplicateOf)!,
  };
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
