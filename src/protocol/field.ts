/** What a field can hold. The number beside each kind is its code in row layouts, on the wire and in the core. */
export const FIELD_TYPE_CODES = {
  text: 1,
  /** Text of a table that tells empty text from none: `text({ emptyText: 'keep' })`. */
  textKeepingEmpty: 2,
  integer: 3,
  number: 4,
  decimal: 5,
  boolean: 6,
  date: 7,
  dateTime: 8,
  picklist: 9,
  multiPicklist: 10,
  reference: 11,
  json: 12,
} as const;

/**
 * The type of a field's values, as layouts name it. `textKeepingEmpty` tells empty text from none.
 *
 * @useDeclaredType
 */
export type FieldType = keyof typeof FIELD_TYPE_CODES;

/** Any JSON value. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A field's value as a host sees it; `null` is "no value". */
export type FieldValue = JsonValue;

/** Where a server-owned field gets its value. */
export type FieldOwner =
  /** Devices write it. */
  | 'device'
  /** The server's own Record ID, assigned at the create (rule A27). */
  | 'record-id'
  /** Counts up with each create of the object. */
  | 'auto-number'
  /** Set to the time of the create. */
  | 'created'
  /** Set to the time of every save. */
  | 'last-modified'
  /** Computed by the server's hooks: formulas, roll-ups, triggers. */
  | 'server';

/**
 * One field of an object, as plain data. Make it with {@link text}, {@link integer} and the others; `Value`, `Owned` and `Required`
 * only exist for TypeScript, which infers record types from them.
 */
export interface Field<Value = FieldValue, Owned extends boolean = boolean, Required extends boolean = boolean> {
  /** How the field's values are kept and compared. */
  readonly type: FieldType;
  /** Who writes the field: devices, or the server in one of several ways. */
  readonly owner: FieldOwner;
  /** A save that leaves the field without a value fails on the device with `FIELD_REQUIRED`. */
  readonly required: boolean;
  /** Longest text in UTF-16 code units, most members of a list, or largest number. */
  readonly max?: number;
  /** Smallest number. */
  readonly min?: number;
  /** Allowed values of a picklist. */
  readonly options?: readonly string[];
  /** The object that a reference points to. */
  readonly target?: string;
  /** This reference names the parent record (master-detail). */
  readonly parent?: boolean;
  /** Parent and children are saved as one transaction group (rule A15). */
  readonly group?: boolean;
  /** Text before an auto-number's digits. */
  readonly prefix?: string;
  /** Never present: carries the inferred types (not marked internal, or declarations would lose it). */
  readonly typing?: {
    /** The type of the field's values. */
    readonly value: Value;
    /** Whether only the server writes the field. */
    readonly owned: Owned;
    /** Whether a create must give the field a value. */
    readonly required: Required;
  };
}

/** The option of fields that may or may not be left without a value. */
export interface Requirable<R extends boolean> {
  /** A save that leaves the field without a value is refused on the device. @defaultValue false */
  readonly required?: R;
}

/** A field that devices write. */
export type DeviceField<Value, R extends boolean> = Field<Value, false, R>;

/** An instant that devices write. It tells its type to TypeScript, because a host may write it as a `Date` too. */
export type DateTimeField<R extends boolean> = DeviceField<string, R> & {
  /** Marks an instant. */
  readonly type: 'dateTime';
};

function deviceField(type: FieldType, options: Omit<Field, 'type' | 'owner' | 'required'> & Requirable<boolean> = {}): Field<never, false, never> {
  return { ...options, type, owner: 'device', required: options.required === true } as Field<never, false, never>;
}

/** Declares a text field. Empty text means "no value" unless `emptyText: 'keep'`; `max` counts UTF-16 code units. */
export function text<const R extends boolean = false>(
  options: Requirable<R> & { readonly max?: number; readonly emptyText?: 'none' | 'keep' } = {},
): DeviceField<string, R> {
  const { emptyText, ...rest } = options;
  return deviceField(emptyText === 'keep' ? 'textKeepingEmpty' : 'text', rest);
}

/** Declares a whole number between -(2^53 - 1) and 2^53 - 1. */
export function integer<const R extends boolean = false>(
  options: Requirable<R> & { readonly min?: number; readonly max?: number } = {},
): DeviceField<number, R> {
  return deviceField('integer', options);
}

/** Declares a finite double. Use {@link decimal} for money. */
export function number<const R extends boolean = false>(
  options: Requirable<R> & { readonly min?: number; readonly max?: number } = {},
): DeviceField<number, R> {
  return deviceField('number', options);
}

/** Declares an exact decimal, held as text such as `'12.5'`; `'12.50'` is stored as `'12.5'`. */
export function decimal<const R extends boolean = false>(options: Requirable<R> = {}): DeviceField<string, R> {
  return deviceField('decimal', options);
}

/** Declares a yes/no field, which can also have no value. */
export function boolean<const R extends boolean = false>(options: Requirable<R> = {}): DeviceField<boolean, R> {
  return deviceField('boolean', options);
}

/** Declares a calendar date, held as `'2026-11-21'`. */
export function date<const R extends boolean = false>(options: Requirable<R> = {}): DeviceField<string, R> {
  return deviceField('date', options);
}

/** Declares an instant, held as `'2026-11-21T08:30:00.000Z'`: UTC, milliseconds, years 0000 to 9999. */
export function dateTime<const R extends boolean = false>(options: Requirable<R> = {}): DateTimeField<R> {
  return deviceField('dateTime', options) as DateTimeField<never>;
}

/** Declares a field that holds one of the given options. */
export function picklist<const O extends string>(...options: readonly O[]): DeviceField<O, false> {
  return deviceField('picklist', { options });
}

/** Declares a field that holds a set of the given options; order and repeats do not matter. */
export function multiPicklist<const O extends string>(...options: readonly O[]): DeviceField<readonly O[], false> {
  return deviceField('multiPicklist', { options });
}

/** Declares a reference to a record of another object, held as that record's id. */
export function reference<const R extends boolean = false>(target: string, options: Requirable<R> = {}): DeviceField<string, R> {
  return deviceField('reference', { ...options, target });
}

/** Declares the reference to the parent record. With `group: true` parent and children form one transaction group (rule A15). */
export function parent(target: string, options: { readonly group?: boolean } = {}): DeviceField<string, true> {
  return deviceField('reference', { target, parent: true, group: options.group === true, required: true });
}

/** Declares a field that holds any JSON value. Arrays keep their order; the order of keys does not matter. */
export function json<Value extends JsonValue = JsonValue>(): DeviceField<Value, false> {
  return deviceField('json');
}

function ownedField(type: FieldType, owner: FieldOwner, options: { readonly prefix?: string } = {}): Field<never, true, false> {
  return { ...options, type, owner, required: false } as Field<never, true, false>;
}

/** Declares the field in which the server puts its own Record ID (rule A27). Public calls accept it in place of the birth id. */
export function recordId(): Field<string, true, false> {
  return ownedField('text', 'record-id');
}

/** Declares a number that the server counts up at each create, such as `'O-000123'`; it has no value until the upload is saved. */
export function autoNumber(options: { readonly prefix?: string } = {}): Field<string, true, false> {
  return ownedField('text', 'auto-number', options);
}

/** Declares the field in which the server puts the time of the create. */
export function created(): Field<string, true, false> {
  return ownedField('dateTime', 'created');
}

/** Declares the field in which the server puts the time of the last save. */
export function lastModified(): Field<string, true, false> {
  return ownedField('dateTime', 'last-modified');
}

/** Makes a field one that only the server writes: a formula, a roll-up, a value set by a trigger. */
export function serverOwned<Value>(field: Field<Value, boolean, boolean>): Field<Value, true, false> {
  return { ...field, owner: 'server', required: false } as Field<Value, true, false>;
}
