import { autoNumber, defineSchema, integer, parent, recordId, reference, text } from '../../src/schema.ts';

/** A schema with a group of three levels, one that can be submitted, and objects outside groups. */
export const ordersSchema = defineSchema({
  version: 1,
  objects: {
    account: { fields: { name: text({ required: true }), city: text(), phone: text(), serverId: recordId() } },
    memo: { coalesce: 'never', fields: { subject: text(), account: reference('account') } },
    visit: { submitted: { field: 'state', values: ['submitted'] }, fields: { state: text(), subject: text(), account: reference('account') } },
    order: {
      mode: 'override',
      submitted: { field: 'state', values: ['submitted'] },
      fields: { number: autoNumber({ prefix: 'O-' }), account: reference('account'), state: text(), note: text() },
    },
    line: { mode: 'override', fields: { order: parent('order', { group: true }), product: text({ required: true }), quantity: integer({ min: 1 }) } },
    batch: { mode: 'override', fields: { line: parent('line', { group: true }), lot: text() } },
  },
});
