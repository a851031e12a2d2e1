import type { ObjectName, RecordOf, Schema } from '../../protocol/schema.ts';
import type { RecordSyncState } from '../engine.ts';

/**
 * A record as the user sees it: its id, every field (`null` where there is no value), and where it stands between device and server.
 * A schema's own field named `syncState` hides the latter.
 */
export type SyncedRecord<S extends Schema, O extends ObjectName<S>> = RecordOf<S, O> &
  ('syncState' extends keyof RecordOf<S, O> ? unknown : {
    /** Where the record stands between device and server; changes of it reach subscribers too. */
    readonly syncState: RecordSyncState;
  });

/** A test of one field's value; a value by itself means "equal to", `null` means "no value". */
export type ValueTest<Value> =
  | Value
  | ({
      /** Equal to one of these; none of them matches nothing. */
      readonly in?: readonly Value[];
      /** Not equal to this; `null` tests for any value at all. */
      readonly not?: Value;
    } & TextTest<NonNullable<Value>> & OrderTest<NonNullable<Value>>);

/** Tests of text; other values have none. */
export type TextTest<Value> = [Value] extends [string]
  ? {
      /** Text begins with this, upper and lower case alike. */
      readonly startsWith?: string;
      /** Text holds this, upper and lower case alike. */
      readonly contains?: string;
    }
  : unknown;

/**
 * Tests of order, for numbers and text: dates and instants are in the order of time, text that is a decimal number compares as one. A
 * record without a value passes none of them.
 */
export type OrderTest<Value> = [Value] extends [string | number]
  ? {
      /** After this, without it. */
      readonly greaterThan?: Value;
      /** This or after it. */
      readonly atLeast?: Value;
      /** Before this, without it. */
      readonly lessThan?: Value;
      /** This or before it. */
      readonly atMost?: Value;
    }
  : unknown;

/** A field to sort by, or a field and a direction. Records without a value come last; ties are in id order. */
export type RecordOrder<S extends Schema, O extends ObjectName<S>> =
  | FieldOf<S, O>
  | {
      /** A field of the object, or `id`. */
      readonly field: FieldOf<S, O>;
      /** `descending` turns values round; records without one still come last. */
      readonly direction: 'ascending' | 'descending';
    };

type FieldOf<S extends Schema, O extends ObjectName<S>> = keyof RecordOf<S, O> & string;

/** Which records of one object, in which order, how many. */
export interface RecordQuery<S extends Schema, O extends ObjectName<S>> {
  /** Every test must hold. */
  readonly where?: { readonly [K in keyof RecordOf<S, O>]?: ValueTest<RecordOf<S, O>[K]> };
  /** @defaultValue by id */
  readonly orderBy?: RecordOrder<S, O> | readonly RecordOrder<S, O>[];
  /** Most records to return. @defaultValue all */
  readonly limit?: number;
  /** How many to leave out from the front. @defaultValue 0 */
  readonly offset?: number;
}
