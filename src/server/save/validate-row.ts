import type { Field, FieldValue } from '../../protocol/field.ts';
import { decodeValue, splitRow } from '../../protocol/row.ts';
import { bytesEqual } from '../../shared/bytes.ts';
import type { ServerObject } from '../server-schema.ts';

/** What a record breaks of its schema. */
export interface RowProblem {
  readonly field: string;
  readonly code: 'required' | 'too-long' | 'too-many' | 'too-large' | 'too-small' | 'not-an-option';
  readonly message: string;
}

/**
 * Checks the fields that a save changes against the schema, all of them for a create. What was there before the schema became
 * stricter does not keep other fields from being saved.
 */
export function validateRow(type: ServerObject, before: Uint8Array | null, row: Uint8Array): RowProblem | null {
  const old = before === null ? null : splitRow(before);
  for (const [position, value] of splitRow(row).entries()) {
    const field = type.fields[position]!;
    if (field.owner !== 'device' || (old !== null && bytesEqual(old[position]!, value))) continue;
    const problem = validateValue(field, decodeValue(field.type, value));
    if (problem === null) continue;
    const { name } = type.layout.fields[position]!;
    return { field: name, code: problem[0], message: `${type.name}.${name} ${problem[1]}` };
  }
  return null;
}

function validateValue(field: Field, value: FieldValue): readonly [RowProblem['code'], string] | null {
  const { required, max, min, options } = field;
  if (value === null) return required ? ['required', 'needs a value'] : null;
  if (typeof value === 'string' && max !== undefined && value.length > max) return ['too-long', `is longer than ${max}`];
  if (typeof value === 'number' && max !== undefined && value > max) return ['too-large', `is more than ${max}`];
  if (typeof value === 'number' && min !== undefined && value < min) return ['too-small', `is less than ${min}`];
  if (field.type === 'multiPicklist' && Array.isArray(value)) {
    if (max !== undefined && value.length > max) return ['too-many', `has more than ${max} members`];
    if (options !== undefined && value.some((member) => !options.includes(member as string))) return ['not-an-option', 'holds something that is no option'];
  }
  if (field.type === 'picklist' && options !== undefined && !options.includes(value as string)) return ['not-an-option', 'is none of the options'];
  return null;
}
