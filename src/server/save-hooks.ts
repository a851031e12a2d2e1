import type { CreateInput, ObjectName, RecordOf, Schema, UpdateInput } from '../protocol/schema.ts';

/** What a host's function says when a save must not be. Make it with {@link refuse}. */
export class HookRefusal {
  /** The field concerned, or `null` for the record as a whole. */
  readonly field: string | null;
  /** The host's own code, for its programs. */
  readonly code: string;
  /** What the user reads. */
  readonly message: string;
  /** Index of the change concerned, of a refusal by `prepare`; 0 unless {@link HookRefusal.of} says which. */
  readonly member: number;

  constructor(field: string | null, code: string, message: string, member = 0) {
    this.field = field;
    this.code = code;
    this.message = message;
    this.member = member;
  }

  /** The same refusal, of the change with this index in `changes`: for `prepare`, which sees all changes of a save at once. */
  of(member: number): HookRefusal {
    return new HookRefusal(this.field, this.code, this.message, member);
  }
}

/**
 * Refuses a save, from a hook. The device shows it as a sync error (rule A26).
 *
 * @param field - the field concerned; `null` for the record as a whole.
 * @param code - the host's own code, such as `'credit-limit'`, at most 200 characters.
 * @param message - what the user reads, at most 2 000 characters. @defaultValue made of field and code
 *
 * @example
 * ```ts
 * validate: ({ next }) => (next.status === 'submitted' && !next.account ? refuse('account', 'required') : undefined)
 * ```
 */
export function refuse(field: string | null, code: string, message: string = field === null ? code : `${field}: ${code}`): HookRefusal {
  return new HookRefusal(field, code, message);
}

/** Where a save comes from. */
export type SaveOrigin =
  | {
      /** An upload. */
      readonly kind: 'device';
      /** The device's store, which names one database on one device. */
      readonly store: string;
      /** The upload number within that store (rule C2). */
      readonly number: number;
      /** When the user saved, by the device's clock, in milliseconds since 1970: a label, it may be years off. */
      readonly savedAt: number;
    }
  | {
      /** `server.online`: a back office, an integration. */
      readonly kind: 'online';
    };

/** Reads of records as they are in this save. */
export interface SaveReads<S extends Schema> {
  /** A record, with what this save has changed so far; `null` when there is none. */
  get<O extends ObjectName<S>>(object: O, id: string): Promise<RecordOf<S, O> | null>;
  /** The live children of a record, likewise. */
  children<O extends ObjectName<S>>(object: O, parentId: string): Promise<readonly RecordOf<S, O>[]>;
}

/** Who saves, and how. */
export interface SaveOccasion {
  /** Whose customer the user belongs to, as `authenticate` said. */
  readonly tenant: string;
  /** Who saves, as `authenticate` said; `'online'` for a save through `server.online` that names nobody. */
  readonly user: string;
  /** What else `authenticate` returned. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Where the save comes from: a device, or `server.online`. */
  readonly origin: SaveOrigin;
  /** Server time, in milliseconds since 1970. */
  readonly now: number;
}

interface HookContext<S extends Schema> extends SaveOccasion {
  /** Reads other records, as this save has left them so far. */
  readonly records: SaveReads<S>;
  /** What the server's `prepare` returned for this save; `undefined` without one. */
  readonly prepared: unknown;
}

/** What `allow` is asked. */
export interface AllowContext<S extends Schema, O extends ObjectName<S>> extends HookContext<S> {
  /** The object of the record that is to be saved. */
  readonly object: O;
  /** The record's id at birth (rule C1). */
  readonly id: string;
  /** What is asked for; a create may turn out to bring a deleted record back. */
  readonly op: 'create' | 'update' | 'remove';
  /** The fields to be written; empty for a delete. */
  readonly fields: readonly string[];
  /** The record as it is online; `null` before a create. */
  readonly previous: RecordOf<S, O> | null;
}

/** What `beforeSave` and `validate` are given. */
export interface SaveContext<S extends Schema, O extends ObjectName<S>> extends HookContext<S> {
  /** The object of the record that is saved. */
  readonly object: O;
  /** The record's id at birth (rule C1). */
  readonly id: string;
  /** What the save does; bringing a deleted record back is a create. Neither hook runs for a delete. */
  readonly op: 'create' | 'update';
  /** The record before this save; `null` for a create. */
  readonly previous: RecordOf<S, O> | null;
  /** The record as it will be. */
  readonly next: RecordOf<S, O>;
  /** The live children by object, as they will be. */
  readonly children: ChildrenOf<S>;
}

/** What `formulas` is given. */
export interface FormulaContext<S extends Schema, O extends ObjectName<S>> extends HookContext<S> {
  /** The object of the record that is computed. */
  readonly object: O;
  /** The record as the save has left it. */
  readonly record: RecordOf<S, O>;
  /** The live children by object, as the save has left them. */
  readonly children: ChildrenOf<S>;
}

/** What `afterSave` is given. */
export interface TriggerContext<S extends Schema, O extends ObjectName<S>> extends HookContext<S> {
  /** The object of the record that was saved. */
  readonly object: O;
  /** The record's id at birth (rule C1). */
  readonly id: string;
  /** What the save did. */
  readonly op: 'create' | 'update' | 'remove';
  /** The record before this save; `null` for a create. */
  readonly previous: RecordOf<S, O> | null;
  /** `null` after a delete. */
  readonly next: RecordOf<S, O> | null;
  /** Writes of other records, part of the same transaction and of the answer. No hooks but `formulas` run for them. */
  readonly write: TriggerWrites<S>;
}

/** Writes that a trigger may make. */
export interface TriggerWrites<S extends Schema> {
  /** Creates a record and resolves with its new id. A hook's bad value rolls the whole entry back. */
  create<O extends ObjectName<S>>(object: O, values: CreateInput<S, O>): Promise<string>;
  /** Sets fields of a live record, server-owned ones too. */
  update<O extends ObjectName<S>>(object: O, id: string, values: FieldPatch<S, O>): Promise<void>;
  /** Deletes a live record. */
  remove<O extends ObjectName<S>>(object: O, id: string): Promise<void>;
}

/** The live children of a record, by object. */
export type ChildrenOf<S extends Schema> = { readonly [C in ObjectName<S>]: readonly RecordOf<S, C>[] };

/** Fields that a hook sets: the device's and the server's own. */
export type FieldPatch<S extends Schema, O extends ObjectName<S>> = UpdateInput<S, O> & Partial<Omit<RecordOf<S, O>, 'id'>>;

/** What a hook may answer: something, or nothing, now or later. */
export type HookAnswer<T> = T | undefined | void | Promise<T | undefined | void>;

/**
 * A host's own save logic for one object (rule A25). It runs inside the save's transaction, under a time limit. A hook that throws, or
 * does not answer in time, or answers what it must not, rolls the entry back; the device sends it again later. Hooks may run more than
 * once for one save. Keep network calls out of them, other saves may be waiting: those belong into the server's `prepare`. And do not call
 * the server's own methods; read and write through the context.
 */
export interface ObjectHooks<S extends Schema = Schema, O extends ObjectName<S> = ObjectName<S>> {
  /** Says whether this user may do this at all. Refusing is `false`, or a {@link refuse} that says why. */
  allow?(context: AllowContext<S, O>): boolean | HookRefusal | Promise<boolean | HookRefusal>;
  /** Sets fields before the record is checked and written. */
  beforeSave?(context: SaveContext<S, O>): HookAnswer<FieldPatch<S, O> | HookRefusal>;
  /** Refuses what must not be saved. */
  validate?(context: SaveContext<S, O>): HookAnswer<HookRefusal>;
  /** Writes other records because of this one. */
  afterSave?(context: TriggerContext<S, O>): HookAnswer<HookRefusal>;
  /** Computes fields from the record and its children; also runs when only a child was saved (roll-ups, rule A30). */
  formulas?(context: FormulaContext<S, O>): HookAnswer<FieldPatch<S, O>>;
}

/** Hooks of any object, as the server calls them. */
export type AnyObjectHooks = ObjectHooks<Schema, string>;
