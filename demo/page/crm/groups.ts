import { groupHeaderOf, groupParentOf } from '../../../src/protocol/groups.ts';
import { schema, type ObjectName } from '../../schema.ts';
import { FACES, type Values } from './object-face.ts';

/** A kind of line in a header's form. */
export interface LineKind {
  readonly object: ObjectName;
  /** The field of a line that names its header. */
  readonly field: string;
  readonly title: string;
}

/** The lines that are edited together with a header; none for a record that is not the header of a group. */
export function lineKindsOf(header: ObjectName): readonly LineKind[] {
  return FACES[header].related.filter(({ object }) => groupParentOf(schema, object)?.target === header);
}

/** Whether records of an object are saved with others as one transaction. */
export function isGrouped(object: ObjectName): boolean {
  return groupHeaderOf(schema, object) !== null;
}

/** Whether records of an object belong to a header. */
export function isLine(object: ObjectName): boolean {
  return groupParentOf(schema, object) !== null;
}

/** The header above a line: its object, and its id as the line's values say; `null` for everything else. */
export function headerOf(object: ObjectName, values: Values): { readonly object: ObjectName; readonly id: string } | null {
  const above = groupParentOf(schema, object);
  const id = above === null ? null : values[above.field];
  return above !== null && typeof id === 'string' ? { object: above.target as ObjectName, id } : null;
}

interface SubmittedRule {
  readonly field: string;
  readonly values: readonly string[];
}

/** The state that closes a record, such as `Placed`; `null` while it is open. */
export function submittedAs(object: ObjectName, values: Values): string | null {
  const rule = (schema.objects as Readonly<Record<string, { readonly submitted?: SubmittedRule }>>)[object]?.submitted;
  const state = rule === undefined ? null : values[rule.field];
  return typeof state === 'string' && rule?.values.includes(state) === true ? state : null;
}
