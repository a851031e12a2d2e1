import { layoutsOf, type Layout } from '../../src/protocol/layout.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { boolean, date, dateTime, decimal, defineSchema, integer, multiPicklist, number, picklist, reference, text, type Schema } from '../../src/schema.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { CRM_LAYOUT, makeRecord } from './crm-rows.ts';

const CHOICES = ['visit', 'order'];
const MAKERS = { text, reference: () => reference('order'), picklist: () => picklist(...CHOICES), multiPicklist: () => multiPicklist(...CHOICES), decimal, integer, number, boolean, date, dateTime };
const POOL = 2_000;

/** One object, with the 20 fields of the other workloads. */
export const schema: Schema = defineSchema({
  version: 1,
  objects: { order: { fields: Object.fromEntries(CRM_LAYOUT.fields.map(({ name, type }) => [name, MAKERS[type as keyof typeof MAKERS]()])) } },
});

/** The layout in which its rows travel. */
export const ORDER_LAYOUT: Layout = layoutsOf(schema).get('order')!;

/** The id of a record by its place in the order of ids. */
export function orderId(place: number): string {
  return `o${String(place).padStart(9, '0')}`;
}

/** Makes rows by place and version: a newer version differs in two fields. */
export function orderRows(): (place: number, version: number) => Uint8Array {
  const random = createSeededRandom(11);
  const pool = Array.from({ length: POOL }, () => makeRecord(random));
  return (place, version) => encodeRow(ORDER_LAYOUT, { ...pool[place % POOL]!, recordId: `order ${place}`, ...(version > 1 && { amount: `${place % 10_000}.${version}`, comment: `looked at again, ${version}` }) });
}
