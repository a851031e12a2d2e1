import type { SyncEngine } from '../../src/client/engine.ts';
import { layoutsOf } from '../../src/protocol/layout.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import type { FieldValue, Schema } from '../../src/schema.ts';
import type { SyncServer } from '../../src/server/index.ts';
import type { PlainRecord } from '../support/all-records.ts';

/** Records by `object/id`, each as its canonical row: a hundred thousand can be held against each other in a moment. */
export type CanonicalRows = ReadonlyMap<string, string>;

/** Brings records into canonical form. */
export function canonicalRows(schema: Schema, records: Iterable<PlainRecord>): Map<string, string> {
  const layouts = layoutsOf(schema);
  const rows = new Map<string, string>();
  for (const { object, id, values } of records) {
    const layout = layouts.get(object)!;
    const known = Object.fromEntries(layout.fields.map(({ name }): [string, FieldValue] => [name, values[name] ?? null]));
    rows.set(`${object}/${id}`, Buffer.from(encodeRow(layout, known)).toString('latin1'));
  }
  return rows;
}

/** Every record as the user of a device sees it. */
export async function canonicalRowsOn(engine: SyncEngine, schema: Schema): Promise<CanonicalRows> {
  const rows = new Map<string, string>();
  for (const object of Object.keys(schema.objects)) for (const [key, row] of canonicalRows(schema, await engine.query({ object }))) rows.set(key, row);
  return rows;
}

/** Every live record of the default tenant. */
export async function canonicalRowsOnline(server: SyncServer, schema: Schema): Promise<CanonicalRows> {
  const rows = new Map<string, string>();
  for (const object of Object.keys(schema.objects)) {
    for (const [key, row] of canonicalRows(schema, await server.online.list(object, { limit: 1_000_000 }))) rows.set(key, row);
  }
  return rows;
}

/** In what two sides differ, by the names of the records: nothing when they are equal. */
export function differences(actual: CanonicalRows, expected: CanonicalRows): { readonly missing: string[]; readonly tooMany: string[]; readonly different: string[] } {
  const names = [...expected.keys()];
  return {
    missing: names.filter((name) => !actual.has(name)),
    tooMany: [...actual.keys()].filter((name) => !expected.has(name)),
    different: names.filter((name) => actual.has(name) && actual.get(name) !== expected.get(name)),
  };
}

/** What {@link differences} says of equal sides. */
export const NONE = { missing: [], tooMany: [], different: [] };
