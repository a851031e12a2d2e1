import type { EditValues } from '../../core/core.ts';
import type { FieldValue } from '../../protocol/field.ts';
import type { Refusal } from '../../protocol/messages.ts';
import { createMask, decodeRow, encodeRow, encodeValue, joinRow, setInMask } from '../../protocol/row.ts';
import type { RecordVersion } from '../../protocol/version.ts';
import { SyncFault } from '../../shared/fault.ts';
import { createId } from '../../shared/ids.ts';
import { wholeAccess } from '../access/field-access.ts';
import { DEFAULT_TENANT, type Principal } from '../principal.ts';
import type { SaveOccasion } from '../save-hooks.ts';
import type { ServerObject } from '../server-schema.ts';
import type { ServerParts } from '../server-parts.ts';
import { isStorableId, type StoredRecord, type StoreView } from '../store/server-store.ts';
import { announceSave, prepareSave, type DecidedSave } from './around.ts';
import { plainChanges } from './entry-changes.ts';
import type { EntryMember } from './entry-member.ts';
import { createHookRunner } from './hook-runner.ts';
import { listOverwritten, type OverwrittenField } from './overwritten.ts';
import { EntryDelayed, EntryRefused } from './refusal.ts';
import { saveMembers } from './save-members.ts';
import { WorkingSet } from './working-set.ts';

/** A record as the back office sees it. */
export interface OnlineRecord {
  /** The object's name in the schema. */
  readonly object: string;
  /** The record's id at birth (rule C1). */
  readonly id: string;
  /** Grows with each commit of the record (rule C6). */
  readonly version: RecordVersion;
  /** Every field of the schema, the server's own too; `null` where there is no value. */
  readonly values: Readonly<Record<string, FieldValue>>;
}

/** One edit of the back office. With `previous`, the fields' values are compared as a device's would be. */
export type OnlineChange =
  | {
      /** Creates a record; refused with class `duplicate-key` when it exists already with other values. */
      readonly op: 'create';
      /** The object's name in the schema. */
      readonly object: string;
      /** The record's id. @defaultValue a new one */
      readonly id?: string;
      /** Values by field name; server-owned fields are not accepted. */
      readonly values: Readonly<Record<string, unknown>>;
    }
  | {
      /** Sets fields of a live record. */
      readonly op: 'update';
      /** The object's name in the schema. */
      readonly object: string;
      /** The record's id at birth (rule C1). */
      readonly id: string;
      /** New values by field name; `null` takes a value away, fields left out stay. */
      readonly values: Readonly<Record<string, unknown>>;
      /** The values that the editor saw, for the comparison of rule A19. @defaultValue no comparison: these values win */
      readonly previous?: Readonly<Record<string, unknown>>;
    }
  | {
      /** Deletes a record, whatever its values; one that is gone already counts as deleted. */
      readonly op: 'remove';
      /** The object's name in the schema. */
      readonly object: string;
      /** The record's id at birth (rule C1). */
      readonly id: string;
    };

/** How a save of the back office ended. */
export type OnlineOutcome =
  | {
      /** Everything was committed. */
      readonly kind: 'saved';
      /** The records changed directly, as they now are; deleted ones are left out. */
      readonly records: readonly OnlineRecord[];
    }
  | {
      /** One change was refused, so nothing was written. */
      readonly kind: 'refused';
      /** Why, and which change: `member` is its index. */
      readonly refusal: Omit<Refusal, 'online'>;
    }
  | {
      /** The host's own hook failed, or took too long; nothing was written. */
      readonly kind: 'failed';
      /** What the hook threw. */
      readonly cause: unknown;
    };

/** Whose data, and in whose name. */
export interface OnlineScope {
  /** @defaultValue 'default' */
  readonly tenant?: string;
  /** The user that hooks see. @defaultValue 'online' */
  readonly user?: string;
}

/**
 * The back office's way to the records: the same save logic as a device's, nothing on any feed (rule A7). Do not call it from a hook: it
 * waits for the save that the hook is part of.
 */
export interface OnlineAccess {
  /** Reads a live record by its id at birth; `null` when there is none. @throws SyncFault `OBJECT_UNKNOWN` */
  get(object: string, id: string, scope?: OnlineScope): Promise<OnlineRecord | null>;
  /** Lists live records in id order, those after the id `after`; at most `limit`, by default 1 000. @throws SyncFault `OBJECT_UNKNOWN` */
  list(object: string, options?: OnlineScope & { readonly after?: string; readonly limit?: number }): Promise<readonly OnlineRecord[]>;
  /**
   * Lists what devices replaced in a record of an override object without having seen it (rule A22), newest first; at most `limit`, by
   * default 100. Of deleted records too. @throws SyncFault `OBJECT_UNKNOWN`
   */
  listOverwritten(object: string, id: string, options?: Pick<OnlineScope, 'tenant'> & { readonly limit?: number }): Promise<readonly OverwrittenField[]>;
  /** Saves changes in one transaction. @throws SyncFault `VALUE_INVALID`, `OBJECT_UNKNOWN`, `FIELD_UNKNOWN`, `FIELD_SERVER_OWNED`, `ID_INVALID` */
  save(changes: readonly OnlineChange[], scope?: OnlineScope): Promise<OnlineOutcome>;
}

export function createOnlineAccess(parts: ServerParts): OnlineAccess {
  const { schema, store } = parts;

  function typeOf(object: string): ServerObject {
    const type = schema.objects.get(object);
    if (type === undefined) throw new SyncFault('OBJECT_UNKNOWN', `there is no object ${object}`);
    return type;
  }

  async function decode(view: StoreView, record: StoredRecord): Promise<OnlineRecord> {
    const type = typeOf(record.object);
    const values = decodeRow(type.layout, await parts.archive.read(view, type, record));
    return { object: record.object, id: record.id, version: record.version, values };
  }

  return {
    async get(object, id, { tenant = DEFAULT_TENANT } = {}) {
      typeOf(object);
      if (!isStorableId(id)) return null;
      return store.read(tenant, async (view) => {
        const [record] = await view.getRecords([{ object, id }]);
        return record === undefined || record.isDeleted ? null : decode(view, record);
      });
    },
    async list(object, { tenant = DEFAULT_TENANT, after, limit = 1_000 } = {}) {
      typeOf(object);
      return store.read(tenant, async (view) => {
        const records: OnlineRecord[] = [];
        for (const record of await view.scanRecords(object, after ?? null, limit)) records.push(await decode(view, record));
        return records;
      });
    },
    async listOverwritten(object, id, { tenant = DEFAULT_TENANT, limit = 100 } = {}) {
      typeOf(object);
      return store.read(tenant, (view) => listOverwritten(view, { object, id }, limit));
    },
    async save(changes, { tenant = DEFAULT_TENANT, user = 'online' } = {}) {
      const members = changes.map((change, index) => createMember(parts, typeOf(change.object), change, index));
      const principal: Principal = { tenant, user, claims: {} };
      const occasion: SaveOccasion = { ...principal, origin: { kind: 'online' }, now: parts.clock.now() };
      const asked = plainChanges(members);
      const announce = (decided: DecidedSave): void => announceSave(parts, occasion, decided, () => asked);
      try {
        const prepared = await prepareSave(parts, occasion, asked);
        const { records, affected } = await store.run(tenant, async (transaction) => {
          const working = new WorkingSet(transaction, schema, parts.archive);
          const { hooks, hookTimeoutMs: timeoutMs, clock, core, hasStrictReferences, random } = parts;
          const runner = createHookRunner({ hooks, timeoutMs, clock, principal, origin: { kind: 'online' }, working, prepared });
          const createRecordId = (): string => createId(clock, random);
          // The back office sees everything: what a user may see, or write, is not asked.
          const visibility = { ...parts.visibility, isVisible: () => true, fieldsOf: (_reader: Principal, type: ServerObject) => wholeAccess(type) };
          const end = await saveMembers({ core, schema, transaction, working, hooks: runner, visibility, principal, hasStrictReferences, createRecordId, rules: parts.rules }, members);
          const live = (await transaction.getRecords(members)).filter(({ isDeleted }) => !isDeleted);
          const saved = await Promise.all(live.map((record) => decode(transaction, record)));
          return { records: saved, affected: end.kind === 'saved' ? end.affected : [] };
        });
        announce({ outcome: 'saved', refusal: null, affected });
        return { kind: 'saved', records };
      } catch (thrown) {
        if (thrown instanceof EntryRefused) {
          announce({ outcome: 'refused', refusal: thrown.refusal, affected: [] });
          return { kind: 'refused', refusal: thrown.refusal };
        }
        if (thrown instanceof EntryDelayed) return { kind: 'failed', cause: thrown.cause };
        throw thrown;
      }
    },
  };
}

function createMember({ clock, random }: ServerParts, type: ServerObject, change: OnlineChange, index: number): EntryMember {
  const id = change.id ?? createId(clock, random);
  if (!isStorableId(id)) throw new SyncFault('ID_INVALID', `${type.name} cannot have an id that is empty, longer than 255 bytes, or holds U+0000`);
  const base = { index, type, object: type.name, id };
  switch (change.op) {
    case 'create':
      positionsOf(type, change.values);
      return { ...base, op: 'create', isChecked: false, row: encodeRow(type.layout, change.values) };
    case 'update':
      return { ...base, op: 'update', isChecked: change.previous !== undefined, edit: createEdit(type, change.values, change.previous ?? change.values) };
    case 'remove':
      return { ...base, op: 'remove', isChecked: false, edit: createEdit(type, {}, {}) };
  }
}

function createEdit(type: ServerObject, values: Readonly<Record<string, unknown>>, previous: Readonly<Record<string, unknown>>): EditValues {
  const mask = createMask(type.layout);
  const positions = positionsOf(type, values);
  for (const position of positions) setInMask(mask, position);
  const pick = (from: Readonly<Record<string, unknown>>): Uint8Array =>
    joinRow(positions.map((position) => {
      const { name, type: fieldType } = type.layout.fields[position]!;
      return encodeValue(fieldType, from[name], `${type.name}.${name}`);
    }));
  return { mask, previous: pick(previous), next: pick(values) };
}

/** The fields that a change names, in layout order. */
function positionsOf(type: ServerObject, values: Readonly<Record<string, unknown>>): number[] {
  const positions = Object.keys(values).map((name) => {
    const position = type.layout.positions.get(name);
    if (position === undefined) throw new SyncFault('FIELD_UNKNOWN', `${type.name} has no field ${name}`);
    if (type.fields[position]!.owner !== 'device') throw new SyncFault('FIELD_SERVER_OWNED', `${type.name}.${name} is written by the server alone`);
    return position;
  });
  return positions.sort((left, right) => left - right);
}
