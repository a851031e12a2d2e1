import { createLayout, type Layout } from '../protocol/layout.ts';
import { joinRow, mapRow, NO_VALUE, splitRow } from '../protocol/row.ts';
import { SyncFault } from '../shared/fault.ts';
import type { ServerObject } from './server-schema.ts';
import type { StoredRecord, StoreView } from './store/server-store.ts';

/**
 * Reads and writes stored rows in the schema's layouts. A stored row names the layout it was written in; fields that this schema does not
 * have stay in it, so a server of an older schema loses nothing that a newer one wrote.
 */
export interface RowArchive {
  /** A stored row in the layout of the schema. */
  read(view: StoreView, object: ServerObject, record: StoredRecord): Promise<Uint8Array>;
  /** A row of the schema's layout as it is to be stored over `old`. */
  write(view: StoreView, object: ServerObject, row: Uint8Array, old: StoredRecord | null): Promise<{ readonly layout: Layout; readonly row: Uint8Array }>;
}

/** Makes a {@link RowArchive}. Layouts never change under their hash, so it remembers those it has seen. */
export function createRowArchive(): RowArchive {
  const seen = new Map<string, Layout>();

  async function layoutOf(view: StoreView, object: ServerObject, record: StoredRecord): Promise<Layout> {
    if (record.layout === object.layout.hash) return object.layout;
    const layout = seen.get(record.layout) ?? (await view.getLayout(record.layout));
    if (layout === null) throw new SyncFault('STORAGE_CORRUPT', `a row of ${object.name} names a layout that is not stored`);
    seen.set(record.layout, layout);
    return layout;
  }

  return {
    async read(view, object, record) {
      return mapRow(await layoutOf(view, object, record), object.layout, record.row);
    },
    async write(view, object, row, old) {
      const stored = old === null ? object.layout : await layoutOf(view, object, old);
      const unknown = stored.fields.filter(({ name }) => !object.layout.positions.has(name));
      if (old === null || unknown.length === 0) return { layout: object.layout, row };
      const kept = splitRow(old.row);
      const values = unknown.map(({ name }) => kept[stored.positions.get(name)!] ?? NO_VALUE);
      return { layout: createLayout(object.name, [...object.layout.fields, ...unknown]), row: joinRow([...splitRow(row), ...values]) };
    },
  };
}
