import { join } from 'node:path';
import { defineSchema, integer, type Field, type Schema } from '../../src/schema.ts';
import { hashBytes, utf8 } from '../../src/shared/bytes.ts';
import { readAll, readLines, SchemaFromData, type DataEdit, type DataRecord, type MasterMapping } from '../support/real-data.ts';

/** The edit history of a data set, in the order in which it happened. */
export interface EditLog {
  readonly schema: Schema;
  /** What was there before the first edit, masters before what hangs on them. */
  readonly first: readonly DataRecord[];
  /** The transactions, read as they are asked for: all of them at once would be most of the memory that a test uses. */
  transactions(): AsyncGenerator<Transaction>;
}

/** One transaction of a log. */
export interface Transaction {
  readonly commit: string;
  readonly edits: readonly DataEdit[];
}

/** How a data set becomes a schema. */
export interface LogMapping {
  readonly masterOf: (object: string) => MasterMapping;
  /** Fields that the data alone does not tell. @defaultValue none */
  readonly fields?: Readonly<Record<string, Readonly<Record<string, Field>>>>;
  /** Of the families of records, one in so many takes part: a sample in which every family is whole. @defaultValue all */
  readonly oneIn?: number;
}

/** Says whether a record is of a family that takes part. */
export function takesPart({ object, id, master }: Pick<DataRecord, 'object' | 'id' | 'master'>, oneIn: number): boolean {
  return oneIn === 1 || Number.parseInt(hashBytes(utf8(master ?? `${object}/${id}`)).slice(-6), 16) % oneIn === 0;
}

/** The object that a device saves to have a transaction of many records done by the server; its id is the commit. */
export const IMPORT = 'importJob';

/** Reads a data set: once through for the types of its fields, and again with each call of `transactions`. */
export async function readEditLog(folder: string, { masterOf, fields = {}, oneIn = 1 }: LogMapping): Promise<EditLog> {
  const first = (await readAll<DataRecord>(join(folder, 'snapshot-first.ndjson.gz'))).filter((record) => takesPart(record, oneIn));
  const file = join(folder, 'edits.ndjson.gz');
  const collected = new SchemaFromData();
  for (const record of first) collected.add(record.object, record.master, Object.entries(record.fields));
  for await (const edit of readLines<DataEdit>(file)) collected.add(edit.object, edit.master, Object.entries(edit.fields).map(([name, [previous, next]]) => [name, next ?? previous]));
  const objects = collected.objects(masterOf);
  for (const [object, more] of Object.entries(fields)) Object.assign(objects[object]!.fields, more);
  const schema = defineSchema({ version: 1, objects: { ...objects, [IMPORT]: { fields: { records: integer() } } } });
  return { schema, first: first.sort((left, right) => Number(left.master !== undefined) - Number(right.master !== undefined)), transactions: () => readTransactions(file, oneIn) };
}

async function* readTransactions(file: string, oneIn: number): AsyncGenerator<Transaction> {
  let edits: DataEdit[] = [];
  for await (const edit of readLines<DataEdit>(file)) {
    if (!takesPart(edit, oneIn)) continue;
    if (edits.length > 0 && edits[0]!.commit !== edit.commit) {
      yield { commit: edits[0]!.commit, edits };
      edits = [];
    }
    edits.push(edit);
  }
  if (edits.length > 0) yield { commit: edits[0]!.commit, edits };
}

/** The edits of a transaction that one save can hold: those of one family, or of two between which a record moves. */
export function familiesOf(edits: readonly DataEdit[], masterBefore: ReadonlyMap<string, string>, masterOf: LogMapping['masterOf']): DataEdit[][] {
  const families = new Map<string, DataEdit[]>();
  for (const edit of edits) {
    const key = `${edit.object}/${edit.id}`;
    const isMember = edit.master !== undefined && masterOf(edit.object) === 'group';
    const now = isMember ? edit.master : key, before = (isMember && masterBefore.get(key)) || now;
    const family = families.get(now) ?? [], left = families.get(before) ?? family;
    if (left !== family) for (const [top, other] of families) if (other === left) families.set(top, family);
    if (left !== family) family.push(...left);
    family.push(edit);
    families.set(now, family).set(before, family);
  }
  return [...new Set(families.values())];
}

/** Keeps where records hang up to date, as far as they have moved at all. */
export class Masters {
  readonly before: ReadonlyMap<string, string>;
  readonly #masters = new Map<string, string>();

  constructor(records: readonly DataRecord[]) {
    this.before = this.#masters;
    for (const { object, id, master } of records) if (master !== undefined) this.#masters.set(`${object}/${id}`, master);
  }

  take(edits: readonly DataEdit[]): void {
    for (const { object, id, op, master } of edits) {
      if (op === 'delete') this.#masters.delete(`${object}/${id}`);
      else if (master !== undefined) this.#masters.set(`${object}/${id}`, master);
    }
  }
}
