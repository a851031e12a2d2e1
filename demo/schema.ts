import {
  autoNumber,
  boolean,
  date,
  dateTime,
  decimal,
  defineSchema,
  integer,
  lastModified,
  multiPicklist,
  parent,
  picklist,
  recordId,
  reference,
  serverOwned,
  text,
} from '../src/schema.ts';

/** What the server keeps about every record. */
const keptByServer = { serverId: recordId(), modified: lastModified() };

/** A field CRM for representatives who sell medical supplies. */
export const schema = defineSchema({
  version: 1,
  objects: {
    account: {
      fields: {
        name: text({ required: true, max: 120 }),
        kind: picklist('Hospital', 'Clinic', 'Pharmacy', 'Laboratory'),
        tier: picklist('A', 'B', 'C'),
        street: text({ max: 120 }),
        city: text({ max: 80 }),
        phone: text({ max: 40 }),
        staff: integer({ min: 0, max: 100_000 }),
        isCustomer: boolean(),
        notes: text({ max: 2_000 }),
        ...keptByServer,
      },
    },
    contact: {
      fields: {
        account: parent('account'),
        firstName: text({ max: 60 }),
        lastName: text({ required: true, max: 60 }),
        role: text({ max: 80 }),
        email: text({ max: 80 }),
        phone: text({ max: 40 }),
        interests: multiPicklist('Wound care', 'Diagnostics', 'Hygiene', 'Surgery', 'Mobility'),
        fullName: serverOwned(text()),
        ...keptByServer,
      },
    },
    call: {
      fields: {
        number: autoNumber({ prefix: 'C-' }),
        subject: text({ required: true, max: 120 }),
        account: reference('account', { required: true }),
        contact: reference('contact'),
        at: dateTime(),
        channel: picklist('Visit', 'Phone', 'Video'),
        status: picklist('Planned', 'Done', 'Cancelled'),
        notes: text({ max: 2_000 }),
        followUp: date(),
        ...keptByServer,
      },
    },
    product: {
      fields: {
        name: text({ required: true, max: 120 }),
        code: text({ max: 20 }),
        category: picklist('Wound care', 'Diagnostics', 'Hygiene', 'Surgery', 'Mobility'),
        unit: text({ max: 40 }),
        price: decimal(),
        isAvailable: boolean(),
        ...keptByServer,
      },
    },
    order: {
      mode: 'override',
      fields: {
        number: autoNumber({ prefix: 'O-' }),
        account: reference('account', { required: true }),
        status: picklist('Draft', 'Placed', 'Shipped'),
        deliverOn: date(),
        notes: text({ max: 2_000 }),
        total: serverOwned(decimal()),
        ...keptByServer,
      },
    },
    orderLine: {
      mode: 'override',
      fields: {
        order: parent('order', { group: true }),
        product: reference('product', { required: true }),
        quantity: integer({ min: 1, max: 9_999 }),
        price: decimal(),
        amount: serverOwned(decimal()),
        ...keptByServer,
      },
    },
  },
});

export type DemoSchema = typeof schema;
export type ObjectName = keyof DemoSchema['objects'];
