import type { FieldValue } from '../../protocol/field.ts';
import { decodeValue, maskPositions, splitRow, valueAt } from '../../protocol/row.ts';
import type { RecordVersion } from '../../protocol/version.ts';
import { decodeEnvelope, encodeEnvelope } from '../envelope.ts';
import { FACT_KINDS } from '../fact-kinds.ts';
import { factKey } from '../store/fact.ts';
import { keyText, type RecordKey, type StoreView } from '../store/server-store.ts';
import type { EntryMember } from './entry-member.ts';
import type { SaveInProgress } from './save-members.ts';
import type { WorkingRecord } from './working-set.ts';

/** Values online that a member of an override object replaced without their having been seen (rule A22). */
export interface MemberOverwrite {
  readonly member: EntryMember;
  readonly fields: readonly string[];
  /** The record as it was locked. */
  readonly was: WorkingRecord;
}

/** A field of an override object that a device wrote over a value it had not seen (rule A22). */
export interface OverwrittenField {
  /** The object's name in the schema. */
  readonly object: string;
  /** The record's id at birth (rule C1). */
  readonly id: string;
  /** Who saved. */
  readonly user: string;
  /** The device's store. */
  readonly store: string;
  /** Its upload number in that store (rule C2). */
  readonly number: number;
  /** Server time of the save, in milliseconds since 1970. */
  readonly savedAt: number;
  /** The version of the record that the save made (rule C6). */
  readonly version: RecordVersion;
  /** `remove`: the record was deleted, whatever this field held. */
  readonly op: 'update' | 'remove';
  /** The field. */
  readonly field: string;
  /** What it held online. */
  readonly before: FieldValue;
  /** What the device wrote; `null` for a delete. */
  readonly after: FieldValue;
}

/** One save's overwritten fields of one record, as they are kept. They are chained by record, the newest first. */
interface AuditRow extends Pick<OverwrittenField, 'object' | 'id' | 'store' | 'number' | 'version' | 'op'> {
  readonly fields: readonly (readonly [field: string, before: FieldValue, after: FieldValue])[];
  /** The version whose row comes next; `null` at the end. */
  readonly next: RecordVersion | null;
}

/** Keeps what a device's save replaced, in its transaction; `versions` are those it wrote. */
export async function keepOverwritten(save: SaveInProgress, overwrites: readonly MemberOverwrite[], versions: ReadonlyMap<string, RecordVersion>): Promise<void> {
  const { transaction, hooks: { base: { user, now: createdAt } }, upload } = save;
  if (upload === undefined) return;
  for (const { member, fields, was } of overwrites) {
    const { object, id, op } = member;
    const version = versions.get(keyText(member));
    if (version === undefined || op === 'create') continue;
    const head = await transaction.getFact(FACT_KINDS.auditHead, factKey(object, id));
    const next = head === null ? null : (decodeEnvelope(head.body) as RecordVersion);
    const { store, number } = upload;
    const row: AuditRow = { object, id, store, number, version, op, fields: fields.map((field) => [field, ...valuesOf(member, field, was)]), next };
    await transaction.putFact({ kind: FACT_KINDS.audit, key: factKey(object, id, ...version), user, createdAt, body: encodeEnvelope(row) });
    await transaction.putFact({ kind: FACT_KINDS.auditHead, key: factKey(object, id), user, createdAt, body: encodeEnvelope(version) });
  }
}

function valuesOf(member: EntryMember & { op: 'update' | 'remove' }, field: string, { row }: WorkingRecord): [before: FieldValue, after: FieldValue] {
  const { layout } = member.type;
  const position = layout.positions.get(field)!, { type } = layout.fields[position]!;
  const slot = maskPositions(member.edit.mask).indexOf(position);
  return [decodeValue(type, valueAt(row!, position)), member.op === 'remove' ? null : decodeValue(type, splitRow(member.edit.next)[slot]!)];
}

/** Lists what devices replaced in a record without having seen it, newest first. */
export async function listOverwritten(view: StoreView, { object, id }: RecordKey, limit: number): Promise<OverwrittenField[]> {
  const found: OverwrittenField[] = [];
  const head = await view.getFact(FACT_KINDS.auditHead, factKey(object, id));
  for (let version = head === null ? null : (decodeEnvelope(head.body) as RecordVersion); version !== null && found.length < limit; ) {
    const fact = await view.getFact(FACT_KINDS.audit, factKey(object, id, ...version));
    if (fact === null) break;
    const { fields, next, ...row } = decodeEnvelope(fact.body) as AuditRow;
    for (const [field, before, after] of fields) found.push({ ...row, user: fact.user, savedAt: fact.createdAt, field, before, after });
    version = next;
  }
  return found.slice(0, limit);
}
