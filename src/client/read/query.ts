import type { FieldValue } from '../../protocol/field.ts';

/** Tests of one field that all must hold. */
export interface FieldComparison {
  readonly in?: readonly FieldValue[];
  readonly not?: FieldValue;
  /** Text begins with this, upper and lower case alike. */
  readonly startsWith?: string;
  /** Text holds this, upper and lower case alike. */
  readonly contains?: string;
  readonly greaterThan?: string | number;
  readonly atLeast?: string | number;
  readonly lessThan?: string | number;
  readonly atMost?: string | number;
}

/** A test of one field: a value means "equal to", `null` tests for "no value". */
export type FieldTest = FieldValue | FieldComparison;

/** How to sort: a field, or a field and a direction. Records without a value come last; ties are in id order. */
export type SortOrder = string | { readonly field: string; readonly direction: 'ascending' | 'descending' };

/** Which records of one object, in which order, how many. */
export interface Query {
  readonly object: string;
  /** Every test must hold. `id` can be tested like a field. */
  readonly where?: Readonly<Record<string, FieldTest>>;
  /** @defaultValue by id */
  readonly orderBy?: SortOrder | readonly SortOrder[];
  /** Most records to return. @defaultValue all */
  readonly limit?: number;
  /** How many to leave out from the front. @defaultValue 0 */
  readonly offset?: number;
}
