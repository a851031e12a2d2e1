import type { FieldValue } from '../../../protocol/field.ts';
import type { Layout } from '../../../protocol/layout.ts';
import { decodeRow } from '../../../protocol/row.ts';
import { compareKeys, type RecordOutline, type RecordWrite, type StoredRecord } from '../server-store.ts';
import { RecordAppeared, type Sql, type SqlRow, type SqlValue } from './sql.ts';

/** The columns of a record, for `select`; the table is `r`. */
export const RECORD_COLUMNS = 'r.object, r.id, r.epoch, r.n, r.is_deleted, r.layout, r.row_bytes, r.parent_id, r.record_id';

/** The columns of an outline: all but the row itself. */
export const OUTLINE_COLUMNS = 'r.object, r.id, r.epoch, r.n, r.is_deleted, r.parent_id, octet_length(r.row_bytes) as byte_length';

/** Reads an outline from its columns. */
export function readOutline(row: SqlRow): RecordOutline {
  return {
    object: row.object as string,
    id: row.id as string,
    version: [row.epoch as number, row.n as number],
    isDeleted: row.is_deleted as boolean,
    parentId: row.parent_id as string | null,
    byteLength: row.byte_length as number,
  };
}

/** Reads a record from its columns. */
export function readRecord(row: SqlRow): StoredRecord {
  return {
    object: row.object as string,
    id: row.id as string,
    version: [row.epoch as number, row.n as number],
    isDeleted: row.is_deleted as boolean,
    layout: row.layout as string,
    row: row.row_bytes as Uint8Array,
    parentId: row.parent_id as string | null,
    recordId: row.record_id as string | null,
  };
}

const PUT_RECORDS = `
  insert into fieldtide_record (tenant, object, id, epoch, n, is_deleted, layout, row_bytes, data, parent_id, record_id)
  select $1, w.object, w.id, w.epoch, w.n, w.is_deleted, w.layout, w.row_bytes, w.data::jsonb, w.parent_id, w.record_id
  from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::boolean[], $7::text[], $8::bytea[], $9::text[], $10::text[], $11::text[])
    as w (object, id, epoch, n, is_deleted, layout, row_bytes, data, parent_id, record_id)
  on conflict (tenant, object, id) do`;

const OVER_THE_OLD = `
  update set
    epoch = excluded.epoch, n = excluded.n, is_deleted = excluded.is_deleted, layout = excluded.layout,
    row_bytes = excluded.row_bytes, data = excluded.data, parent_id = excluded.parent_id, record_id = excluded.record_id`;

const IF_STILL_MISSING = `
  nothing returning id`;

/** Puts records in place in one statement, over what is there. */
export async function putRecords(sql: Sql, tenant: string, writes: readonly RecordWrite[]): Promise<void> {
  await put(sql, PUT_RECORDS + OVER_THE_OLD, tenant, writes);
}

/**
 * Puts records in place that were found missing. There was no row to lock, so somebody else may have created one since.
 *
 * @throws RecordAppeared when somebody has.
 */
export async function createRecords(sql: Sql, tenant: string, writes: readonly RecordWrite[]): Promise<void> {
  const created = await put(sql, PUT_RECORDS + IF_STILL_MISSING, tenant, writes);
  if (created.length < writes.length) throw new RecordAppeared();
}

async function put(sql: Sql, statement: string, tenant: string, unordered: readonly RecordWrite[]): Promise<readonly SqlRow[]> {
  // New rows hold up others too: one order for all.
  const writes = unordered.toSorted(compareKeys);
  const column = <T extends string | number | boolean | Uint8Array | null>(pick: (write: RecordWrite) => T): SqlValue => writes.map(pick);
  return sql.query(statement, [
    tenant,
    column(({ object }) => object),
    column(({ id }) => id),
    column(({ version }) => version[0]),
    column(({ version }) => version[1]),
    column(({ isDeleted }) => isDeleted),
    column(({ layout }) => layout.hash),
    column(({ row }) => row),
    column(({ layout, row }) => jsonOf(layout, row)),
    column(({ parentId }) => parentId),
    column(({ recordId }) => recordId),
  ]);
}

/** The record as JSON, for a host's own queries. Comparing and sending is done with the row's bytes alone. */
function jsonOf(layout: Layout, row: Uint8Array): string {
  const values = decodeRow(layout, row);
  const json = JSON.stringify(values);
  // Postgres keeps no U+0000 in text. Only this copy for queries shows another character in its place.
  return json.includes('\\u0000') ? JSON.stringify(withoutNul(values)) : json;
}

function withoutNul(value: FieldValue): FieldValue {
  if (typeof value === 'string') return value.replaceAll('\0', '\uFFFD');
  if (Array.isArray(value)) return value.map(withoutNul);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key.replaceAll('\0', '\uFFFD'), withoutNul(member as FieldValue)]));
}
