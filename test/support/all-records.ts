import type { SyncEngine } from '../../src/client/engine.ts';
import { layoutsOf } from '../../src/protocol/layout.ts';
import { decodeRow, encodeRow } from '../../src/protocol/row.ts';
import type { FieldValue, Schema } from '../../src/schema.ts';
import type { SyncServer } from '../../src/server/index.ts';

/** Records by `object/id`, every field in canonical form, so that two sides can be compared. */
export type AllRecords = Map<string, Record<string, FieldValue>>;

/** A record as a device, the server or a data set has it. */
export interface PlainRecord {
  readonly object: string;
  readonly id: string;
  readonly values: Readonly<Record<string, FieldValue>>;
}

/** Brings records into canonical form. */
export function allRecords(schema: Schema, records: readonly PlainRecord[]): AllRecords {
  const layouts = layoutsOf(schema);
  const keyed = records.map(({ object, id, values }): [string, Record<string, FieldValue>] => {
    const layout = layouts.get(object)!;
    return [`${object}/${id}`, decodeRow(layout, encodeRow(layout, values))];
  });
  return new Map(keyed.sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Every record as the user of a device sees it. */
export async function allRecordsOn(device: SyncEngine, schema: Schema): Promise<AllRecords> {
  const views = await Promise.all(Object.keys(schema.objects).map((object) => device.query({ object })));
  return allRecords(schema, views.flat());
}

/** Every live record of the default tenant. */
export async function allRecordsOnline(server: SyncServer, schema: Schema): Promise<AllRecords> {
  const lists = await Promise.all(Object.keys(schema.objects).map((object) => server.online.list(object, { limit: 100_000 })));
  return allRecords(schema, lists.flat());
}
