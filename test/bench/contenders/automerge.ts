import type { FieldValue } from '../../../src/protocol/field.ts';
import type { RecordValues } from '../feed-data.ts';
import { library } from '../library.ts';
import { tableContender } from './record-table.ts';

interface Kept {
  readonly version: number;
  readonly values: RecordValues;
}

interface Root {
  readonly orders: Record<string, Kept>;
}

interface Automerge {
  from(root: Root): Root;
  change(doc: Root, work: (draft: Root) => void): Root;
  free(doc: Root): void;
  ImmutableString: new (text: string) => FieldValue;
}

/** Automerge: a document with a map of records. Texts are written as values that are replaced whole, not as texts that several edit. */
export const automerge = tableContender({
  name: 'Automerge',
  note: 'one document, texts as immutable strings; keeps the history of all that was written',
  async open() {
    const { from, change, free, ImmutableString } = await library<Automerge>('@automerge/automerge');
    let doc: Root | undefined;
    const plain = (value: FieldValue): FieldValue => (typeof value === 'string' ? new ImmutableString(value) : value);
    const kept = ({ version, values }: Kept): Kept => ({ version, values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? value.map(plain) : plain(value)])) });
    return {
      load(rows) {
        if (doc !== undefined) free(doc);
        doc = from({ orders: Object.fromEntries(Array.from(rows, (row) => [row.id, kept(row)])) });
      },
      versionsOf: (ids) => ids.map((id) => doc!.orders[id]?.version ?? 0),
      put(records) {
        doc = change(doc!, ({ orders }) => {
          for (const record of records) orders[record.id] = kept(record);
        });
      },
      *records() {
        const text = (value: unknown): FieldValue => (Array.isArray(value) ? value.map(text) : value !== null && typeof value === 'object' ? String(value) : (value as FieldValue));
        for (const [id, { version, values }] of Object.entries(doc!.orders)) {
          yield { id, version, values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, text(value)])) };
        }
      },
    };
  },
});
