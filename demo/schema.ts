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
  specialGroups,
  text,
} from '../src/schema.ts';

/** What the server keeps about every record. */
const keptByServer = { serverId: recordId(), modified: lastModified() };

/**
 * Calls and orders are the ready groups: a call that another device submitted is saved as a copy, an edit of an order that was placed
 * elsewhere is discarded.
 */
const { call, order } = specialGroups({
  call: { submitted: ['Submitted'], copies: ['callSample', 'callKeyMessage'], reopenAs: 'Planned', duplicateOf: 'duplicateOf' },
  order: { submitted: ['Placed', 'Shipped'] },
});

/** A field CRM for representatives who sell medical supplies. */
export const schema = defineSchema({
  version: 2,
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
      ...call.header,
      fields: {
        number: autoNumber({ prefix: 'C-' }),
        subject: text({ required: true, max: 120 }),
        account: reference('account', { required: true }),
        contact: reference('contact'),
        at: dateTime(),
        channel: picklist('Visit', 'Phone', 'Video'),
        status: picklist('Planned', 'Done', 'Submitted', 'Cancelled'),
        notes: text({ max: 2_000 }),
        followUp: date(),
        samples: serverOwned(integer()),
        duplicateOf: serverOwned(reference('call')),
        ...keptByServer,
      },
    },
    callSample: {
      ...call.member,
      fields: {
        call: parent('call', { group: true }),
        product: reference('product', { required: true }),
        quantity: integer({ min: 1, max: 99, required: true }),
        ...keptByServer,
      },
    },
    callKeyMessage: {
      ...call.member,
      fields: {
        call: parent('call', { group: true }),
        message: picklist('Heals faster', 'Costs less per week', 'Easy to apply', 'Delivered next day'),
        reaction: picklist('Positive', 'Neutral', 'Negative'),
        ...keptByServer,
      },
    },
    /** A checked group: the first save of a field wins, and a save with one conflict is refused as a whole. */
    survey: {
      fields: {
        title: text({ required: true, max: 120 }),
        account: reference('account', { required: true }),
        askedOn: date(),
        score: serverOwned(integer()),
        ...keptByServer,
      },
    },
    surveyAnswer: {
      fields: {
        survey: parent('survey', { group: true }),
        question: text({ required: true, max: 80 }),
        rating: integer({ min: 0, max: 10 }),
        comment: text({ max: 120 }),
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
      ...order.header,
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
      ...order.member,
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
