import type { FieldType } from '../../src/protocol/field.ts';
import { createLayout, type Layout } from '../../src/protocol/layout.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { concatBytes } from '../../src/shared/bytes.ts';
import type { Random } from '../../src/shared/random.ts';

const FIELDS: readonly (readonly [name: string, type: FieldType])[] = [
  ['recordId', 'text'], ['name', 'text'], ['owner', 'reference'], ['account', 'reference'], ['status', 'picklist'],
  ['stage', 'picklist'], ['amount', 'decimal'], ['quantity', 'integer'], ['discount', 'number'], ['isActive', 'boolean'],
  ['isLocked', 'boolean'], ['visitDate', 'date'], ['startsAt', 'dateTime'], ['createdAt', 'dateTime'], ['modifiedAt', 'dateTime'],
  ['street', 'text'], ['city', 'text'], ['country', 'picklist'], ['tags', 'multiPicklist'], ['comment', 'text'],
];

/** What texts and picklists are made of. */
export const WORDS: readonly string[] = ['visit', 'order', 'sample', 'follow-up', 'Zürich', 'clinic', 'north', 'signed', 'late', 'return', 'spare part', 'crème'];

/** A layout of 20 fields as a field CRM has them. */
export const CRM_LAYOUT: Layout = createLayout('order', FIELDS.map(([name, type]) => ({ name, type })));

/** Makes the values of one record. */
export function makeRecord(random: Random): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, type] of FIELDS) values[name] = random.next() < 0.1 ? null : makeValue(type, random);
  return values;
}

/** A record with some fields changed. */
export function editRecord(record: Readonly<Record<string, unknown>>, fields: number, random: Random): Record<string, unknown> {
  const edited = { ...record };
  for (let left = fields; left > 0; left--) {
    const [name, type] = pick(FIELDS, random);
    edited[name] = makeValue(type, random);
  }
  return edited;
}

/** Joins the canonical rows of records, one after another. */
export function joinRows(records: readonly Readonly<Record<string, unknown>>[]): Uint8Array {
  return concatBytes(records.map((record) => encodeRow(CRM_LAYOUT, record)));
}

/** Joins rows, one after another. */
export function joinRowsOf(rows: readonly Uint8Array[]): Uint8Array {
  return concatBytes(rows);
}

function makeValue(type: FieldType, random: Random): unknown {
  switch (type) {
    case 'integer': return Math.floor(random.next() * 10_000);
    case 'number': return Math.floor(random.next() * 1000) / 10;
    case 'decimal': return (random.next() * 10_000).toFixed(2);
    case 'boolean': return random.next() < 0.5;
    case 'date': return makeInstant(random).slice(0, 10);
    case 'dateTime': return makeInstant(random);
    case 'reference': return Array.from(random.bytes(8), (byte) => byte.toString(16).padStart(2, '0')).join('');
    case 'picklist': return pick(WORDS, random);
    case 'multiPicklist': return [pick(WORDS, random), pick(WORDS, random)];
    default: return `${pick(WORDS, random)} ${pick(WORDS, random)} ${pick(WORDS, random)}`;
  }
}

function makeInstant(random: Random): string {
  return new Date(1_600_000_000_000 + Math.floor(random.next() * 2e11)).toISOString();
}

function pick<T>(choices: readonly T[], random: Random): T {
  return choices[Math.floor(random.next() * choices.length)]!;
}
