import { autoNumber, defineSchema, integer, json, picklist, recordId, reference, serverOwned, text } from '../../src/schema.ts';

export const schema = defineSchema({
  version: 1,
  objects: {
    account: { fields: { name: text({ required: true }), city: text(), tags: json(), rid: recordId() } },
    call: {
      fields: {
        number: autoNumber(),
        account: reference('account', { required: true }),
        status: picklist('planned', 'done'),
        minutes: integer({ min: 0 }),
        rank: serverOwned(integer()),
      },
    },
  },
});
