import type { ObjectName, RecordOf, Schema } from '../protocol/schema.ts';
import type { RecordSyncState } from './engine.ts';

/**
 * A record as the user sees it: its id, every field (`null` where there is no value), and where it stands between device and server.
 * A schema's own field named `syncState` hides the latter.
 */
export type SyncedRecord<S extends Schema, O extends ObjectName<S>> = RecordOf<S, O> &
  ('syncState' extends keyof RecordOf<S, O> ? unknown : { readonly syncState: RecordSyncState });

/** A test of one field's value; a value by itself means "equal to", `null` means "no value". */
export type ValueTest<Value> =
  | Value
  | ({ readonly in?: readonly Value[]; readonly not?: Value } & TextTest<NonNullable<Value>> & OrderTest<NonNullable<Value>>);

type TextTest<Value> = [Value] extends [string]
  ? {
      /** Text begins with this, upper and lower case alike. */
      readonly startsWith?: string;
      /** Text holds this, upper and lower case alike. */
      readonly contains?: string;
    }
  : unknown;

type OrderTest<Value> = [Value] extends [string | number]
  ? { readonly greaterThan?: Value; readonly atLeast?: Value; readonly lessThan?: Value; readonly atMost?: Value }
  : unknown;

/** A field to sort by, or a field and a direction. Records without a value come last; ties are in id order. */
export type RecordOrder<S extends Schema, O extends ObjectName<S>> =
  | FieldOf<S, O>
  | { readonly field: FieldOf<S, O>; readonly direction: 'ascending' | 'descending' };

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
