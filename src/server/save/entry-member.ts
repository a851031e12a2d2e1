import type { EditValues } from '../../core/core.ts';
import type { RecordKey } from '../store/server-store.ts';
import type { ServerObject } from '../server-schema.ts';

/** One change of an entry, in the layout of the server's schema. */
export type EntryMember = RecordKey & {
  /** Its index in the entry. */
  readonly index: number;
  readonly type: ServerObject;
  /** Whether previous values are compared (rule A19); a device's edit of an override object, or an online edit, may say no. */
  readonly isChecked: boolean;
} & (
    | { readonly op: 'create'; /** The device's fields; the server's own have no value. */ readonly row: Uint8Array }
    | { readonly op: 'update'; readonly edit: EditValues }
    | { readonly op: 'remove'; /** What the user saw: previous values, twice. */ readonly edit: EditValues }
  );
