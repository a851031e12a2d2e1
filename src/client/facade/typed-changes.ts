import type { CreateInput, ObjectName, RecordOf, Schema, UpdateInput } from '../../protocol/schema.ts';
import { copyValues } from './copy-values.ts';
import type { Change } from '../queue/transaction.ts';

/** What a form showed of a record, whole or in part: what `get`, `query` or `watch` gave it. */
export type SeenValues<S extends Schema, O extends ObjectName<S>> = Partial<RecordOf<S, O>>;

/** What an update may be told besides its values. */
export interface UpdateOptions<S extends Schema, O extends ObjectName<S>> {
  /**
   * What the form showed when the user began. The save then changes only the fields in which its values differ from that, and conflicts
   * when it would overwrite what the form never showed. @defaultValue the record as it is on this device now
   */
  readonly seen?: SeenValues<S, O>;
}

/** One change of a transaction. A create brings its id along where other changes refer to it: `crypto.randomUUID()` makes one. */
export type TransactionChange<S extends Schema> = {
  readonly [O in ObjectName<S>]:
    | {
        /** Creates a record. */
        readonly op: 'create';
        /** The object's name in the schema. */
        readonly object: O;
        /** Its values, and its id where the host makes it. */
        readonly values: CreateInput<S, O>;
      }
    | ({
        /** Changes the given fields of a record. */
        readonly op: 'update';
        /** The object's name in the schema. */
        readonly object: O;
        /** Its id, or the server's Record ID. */
        readonly id: string;
        /** The fields to change; `null` takes a value away. */
        readonly values: UpdateInput<S, O>;
      } & UpdateOptions<S, O>)
    | {
        /** Deletes a record, with the members of its group that hang on it. */
        readonly op: 'remove';
        /** The object's name in the schema. */
        readonly object: O;
        /** Its id, or the server's Record ID. */
        readonly id: string;
      };
}[ObjectName<S>];

/** Takes the types of a schema off a change, and copies what the host may go on changing. */
export function plainChange<S extends Schema>(change: TransactionChange<S>): Change {
  const { op, object } = change;
  switch (op) {
    case 'create': {
      const { id, ...values } = copyValues(change.values);
      return { op, object, values, id: id as string | undefined };
    }
    case 'update': return { op, object, id: change.id, values: copyValues(change.values), seen: change.seen && copyValues(change.seen) };
    case 'remove': return { op, object, id: change.id };
  }
}
