import { findViolation } from '../../protocol/constraints.ts';
import { decodeValue, splitRow } from '../../protocol/row.ts';
import { bytesEqual } from '../../shared/bytes.ts';
import type { ServerObject } from '../server-schema.ts';

/** What a record breaks of its schema. */
export interface RowProblem {
  readonly field: string;
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
    const violation = findViolation(field, decodeValue(field.type, value));
    const { name } = type.layout.fields[position]!;
    if (violation !== null) return { field: name, message: `${type.name}.${name} ${violation}` };
  }
  return null;
}
