import { hashBytes, utf8 } from '../shared/bytes.ts';
import { SyncFault } from '../shared/fault.ts';
import { FIELD_TYPE_CODES, type Field, type FieldValue } from './field.ts';
import { groupParentOf } from './groups.ts';

/** How an object is saved. All of it is plain data, shared by app and backend. */
export interface ObjectDefinition {
  /**
   * `checked`: the previous value of every changed field is compared with the value online, the first save wins (rule A19).
   * `override`: nothing is compared (rule A22). @defaultValue 'checked'
   */
  readonly mode?: 'checked' | 'override';
  /**
   * What becomes of a save when some of its fields were changed online meanwhile. `rejectSave`: all of it waits for the user.
   * `keepCleanFields`: the other fields are saved (checked objects, single updates). @defaultValue 'rejectSave'
   */
  readonly onConflict?: 'rejectSave' | 'keepCleanFields';
  /**
   * Whether a save may join the record's last waiting one (rule C8): `tail` for records outside groups, as long as nothing of it was
   * sent. @defaultValue 'tail'
   */
  readonly coalesce?: 'tail' | 'never';
  /** When records of this object count as submitted, which closes them and their group on devices. @defaultValue never */
  readonly submitted?: SubmittedDefinition;
  /** The fields by name, 1 to 500; `id` is taken. Their order is the order of values in a row. */
  readonly fields: Readonly<Record<string, Field>>;
}

/** When a record is submitted, and what becomes of edits that another device made before it knew (rules A23, A24). */
export interface SubmittedDefinition {
  /** The field that tells, of a type whose values are text. */
  readonly field: string;
  /** Its values that mean "submitted", one or more. */
  readonly values: readonly string[];
  /**
   * What becomes of edits made elsewhere. `duplicate`: they become a record of their own (rule A23). `discard`: they are dropped, kept
   * in the journal, and the user is told (rule A24). `error`: they become a sync error of class `locked`. @defaultValue 'error'
   */
  readonly elsewhere?: 'duplicate' | 'discard' | 'error';
  /** `duplicate`: the objects of the group whose records go into the copy. @defaultValue all of the group */
  readonly copies?: readonly string[];
  /** `duplicate`: the value of `field` in a copy whose original was submitted on both devices. @defaultValue no value */
  readonly reopenAs?: string;
  /** `duplicate`: a server-owned reference in which the copy names its original. @defaultValue none */
  readonly duplicateOf?: string;
}

/** A schema: every object that devices and server exchange. */
export interface SchemaDefinition {
  /** Counts up with each change of the schema. */
  readonly version: number;
  /** The objects by name, 1 to 500; a name is letters, digits and `_ . : -`, beginning with a letter. */
  readonly objects: Readonly<Record<string, ObjectDefinition>>;
}

/** A checked schema, with its hash. It is plain data, so it can be sent to a worker. */
export interface Schema<Definition extends SchemaDefinition = SchemaDefinition> {
  /** As defined; not part of the hash. */
  readonly version: number;
  /** As defined: plain data. */
  readonly objects: Definition['objects'];
  /** Names the content; two schemas of one hash are the same. */
  readonly hash: string;
}

/** The names of a schema's objects. */
export type ObjectName<S extends Schema> = keyof S['objects'] & string;

type FieldsOf<S extends Schema, O extends ObjectName<S>> = S['objects'][O]['fields'];
/** The type of a field's values, without `null`. */
export type ValueOf<F> = F extends Field<infer Value, infer _Owned, infer _Required> ? Value : FieldValue;
type OwnedNames<F> = { [K in keyof F]: F[K] extends Field<infer _V, true, infer _R> ? K : never }[keyof F];
type RequiredNames<F> = { [K in keyof F]: F[K] extends Field<infer _V, false, true> ? K : never }[keyof F];
type Flat<T> = { [K in keyof T]: T[K] };

/** A record as a host sees it: its id and every field, `null` where there is no value. */
export type RecordOf<S extends Schema, O extends ObjectName<S>> = Flat<
  {
    /** The id at birth (rule C1): the same on every device and online, for ever. */
    readonly id: string;
  } & { readonly [K in keyof FieldsOf<S, O>]: ValueOf<FieldsOf<S, O>[K]> | null }
>;

/** What `create` takes: required fields, any other field a device may write, and an id where the host makes its own. */
export type CreateInput<S extends Schema, O extends ObjectName<S>> = Flat<
  {
    /** The id at birth, 1 to 255 bytes of text. @defaultValue a new one */
    readonly id?: string;
  } & {
    readonly [K in Exclude<RequiredNames<FieldsOf<S, O>>, OwnedNames<FieldsOf<S, O>>>]: InputOf<FieldsOf<S, O>[K]>;
  } & {
    readonly [K in Exclude<keyof FieldsOf<S, O>, RequiredNames<FieldsOf<S, O>> | OwnedNames<FieldsOf<S, O>>>]?:
      InputOf<FieldsOf<S, O>[K]> | null;
  }
>;

/** What `update` takes: the fields to change; `null` takes a value away. */
export type UpdateInput<S extends Schema, O extends ObjectName<S>> = {
  readonly [K in Exclude<keyof FieldsOf<S, O>, OwnedNames<FieldsOf<S, O>>>]?: InputOf<FieldsOf<S, O>[K]> | null;
};

/** What a save takes for a field: its value, of an instant a `Date` too. */
export type InputOf<F> = F extends {
  /** Marks an instant. */
  readonly type: 'dateTime';
}
  ? string | Date
  : ValueOf<F>;

/** Longest name of an object or field, and most of each: what a message may hold. */
export const SCHEMA_LIMITS = { nameLength: 80, objects: 500, fields: 500 } as const;

const OBJECT_NAME = /^[A-Za-z][A-Za-z0-9_.:-]*$/;
// Fields often mirror columns of tables that already exist, whatever those are called.
const FIELD_NAME = /^[^\p{C}]+$/u;

/**
 * Checks a schema and names it by its content.
 *
 * @throws {@link SyncFault} `SCHEMA_INVALID` naming the object and field that is wrong.
 */
export function defineSchema<const Definition extends SchemaDefinition>(definition: Definition): Schema<Definition> {
  if (!Number.isSafeInteger(definition.version) || definition.version < 1) {
    throw invalid('version', 'must be a whole number from 1 up');
  }
  const names = Object.keys(definition.objects);
  if (names.length === 0 || names.length > SCHEMA_LIMITS.objects) throw invalid('objects', `must be 1 to ${SCHEMA_LIMITS.objects}`);
  for (const name of names) checkObject(name, definition.objects[name]!, definition.objects);
  for (const name of names) checkGroup(name, definition);
  return { version: definition.version, objects: definition.objects, hash: hashBytes(utf8(canonicalText(definition.objects))) };
}

function checkObject(name: string, object: ObjectDefinition, objects: SchemaDefinition['objects']): void {
  checkName(OBJECT_NAME, name, name, 'letters, digits and _ . : -, beginning with a letter');
  if (object.mode !== undefined && object.mode !== 'checked' && object.mode !== 'override') {
    throw invalid(name, "mode must be 'checked' or 'override'");
  }
  if (object.onConflict !== undefined && object.onConflict !== 'rejectSave' && object.onConflict !== 'keepCleanFields') {
    throw invalid(name, "onConflict must be 'rejectSave' or 'keepCleanFields'");
  }
  if (object.coalesce !== undefined && object.coalesce !== 'tail' && object.coalesce !== 'never') throw invalid(name, "coalesce must be 'tail' or 'never'");
  if (object.submitted !== undefined) checkSubmitted(name, object, object.submitted, objects);
  const fields = Object.entries(object.fields);
  if (fields.length === 0 || fields.length > SCHEMA_LIMITS.fields) throw invalid(name, `needs 1 to ${SCHEMA_LIMITS.fields} fields`);
  let parents = 0;
  for (const [fieldName, field] of fields) {
    const path = `${name}.${fieldName}`;
    checkName(FIELD_NAME, fieldName, path, 'characters that can be printed');
    if (fieldName === '__proto__') throw invalid(path, 'cannot be a field: JavaScript gives that name a meaning of its own');
    if (fieldName === 'id') throw invalid(path, 'is reserved for the id at birth; use recordId() under another name for the server id');
    if (!Object.hasOwn(FIELD_TYPE_CODES, field.type)) throw invalid(path, 'has an unknown type; make fields with text(), integer() and the others');
    if (field.target !== undefined && !Object.hasOwn(objects, field.target)) throw invalid(path, `points to ${field.target}, which is no object`);
    if (field.options !== undefined) checkOptions(path, field.options);
    if (field.parent === true && ++parents > 1) throw invalid(path, 'is a second parent; an object has at most one');
  }
}

/** A group has one header, so its parents end somewhere. */
function checkGroup(name: string, definition: SchemaDefinition): void {
  const seen = new Set([name]);
  for (let parent = groupParentOf(definition, name); parent !== null; parent = groupParentOf(definition, parent.target)) {
    if (seen.has(parent.target)) throw invalid(name, 'is in a transaction group that holds itself; leave out `group` on one of the parents');
    seen.add(parent.target);
  }
}

const STATE_TYPES: ReadonlySet<string> = new Set(['text', 'textKeepingEmpty', 'picklist']);

function checkSubmitted(name: string, object: ObjectDefinition, submitted: SubmittedDefinition, objects: SchemaDefinition['objects']): void {
  const path = `${name}.submitted`;
  const { field, values, elsewhere = 'error', copies = [], reopenAs, duplicateOf } = submitted;
  const state = Object.hasOwn(object.fields, field) ? object.fields[field] : undefined;
  if (state === undefined || !STATE_TYPES.has(state.type)) throw invalid(path, `names ${field}, which is no field of text or of a picklist`);
  if (Object.values(object.fields).some(({ parent, group }) => parent === true && group === true)) {
    throw invalid(path, 'is for the header of a group; a member is submitted with it');
  }
  checkOptions(`${path}.values`, values);
  if (!['duplicate', 'discard', 'error'].includes(elsewhere)) throw invalid(path, "elsewhere must be 'duplicate', 'discard' or 'error'");
  for (const copied of copies) if (!Object.hasOwn(objects, copied)) throw invalid(path, `copies ${copied}, which is no object`);
  if (reopenAs !== undefined && values.includes(reopenAs)) throw invalid(path, `reopens as ${reopenAs}, which means submitted`);
  if (reopenAs !== undefined && state.options?.includes(reopenAs) === false) throw invalid(path, `reopens as ${reopenAs}, which is no option of ${field}`);
  if (elsewhere === 'duplicate' && state.required && reopenAs === undefined) throw invalid(path, `needs reopenAs, because ${field} must have a value`);
  if (duplicateOf === undefined) return;
  const link = Object.hasOwn(object.fields, duplicateOf) ? object.fields[duplicateOf] : undefined;
  if (link?.target !== name || link.owner !== 'server') throw invalid(path, `duplicateOf needs a server-owned reference to ${name}`);
}

function checkOptions(path: string, options: readonly string[]): void {
  if (options.length === 0 || new Set(options).size !== options.length || options.some((option) => option === '')) {
    throw invalid(path, 'needs one or more different options that are not empty');
  }
}

function checkName(pattern: RegExp, name: string, path: string, allowed: string): void {
  if (name.length > SCHEMA_LIMITS.nameLength || !pattern.test(name)) {
    throw invalid(path, `needs a name of at most ${SCHEMA_LIMITS.nameLength} ${allowed}`);
  }
}

function invalid(path: string, problem: string): SyncFault {
  return new SyncFault('SCHEMA_INVALID', `schema: ${path} ${problem}`, { details: { path } });
}

// Objects and fields keep their order (it is the order of values in a row); the options of each field are sorted by name.
function canonicalText(objects: SchemaDefinition['objects']): string {
  return JSON.stringify(
    Object.entries(objects).map(([name, object]) => [
      name,
      object.mode ?? 'checked',
      object.onConflict ?? 'rejectSave',
      object.submitted === undefined ? null : sortedEntries(object.submitted),
      Object.entries(object.fields).map(([fieldName, field]) => [
        fieldName,
        sortedEntries(field),
      ]),
    ]),
  );
}

function sortedEntries(options: object): [string, unknown][] {
  return Object.entries(options).filter(([, value]) => value !== undefined).sort(([left], [right]) => (left < right ? -1 : 1));
}
