import { describe, expect, expectTypeOf, test } from 'vitest';
import { parent, picklist, reference, serverOwned, text } from '../../src/protocol/field.ts';
import { groupHeaderOf, groupObjectsOf, groupParentOf } from '../../src/protocol/groups.ts';
import { defineSchema, type RecordOf } from '../../src/protocol/schema.ts';
import { CALL_COPIES, specialGroups } from '../../src/protocol/special-groups.ts';

describe('the six groups', () => {
  test('A15: all of them override, headers and members', () => {
    for (const group of Object.values(specialGroups())) {
      expect(group.header.mode).toBe('override');
      expect(group.member).toEqual({ mode: 'override' });
    }
  });

  test('A23, A24: a call is duplicated, an order and inventory monitoring are discarded, the others become errors', () => {
    const elsewhere = Object.fromEntries(Object.entries(specialGroups()).map(([name, { header }]) => [name, header.submitted.elsewhere]));
    expect(elsewhere).toEqual({
      call: 'duplicate',
      order: 'discard',
      inventoryMonitoring: 'discard',
      contentAcknowledgment: 'error',
      medicalInquiryFulfillment: 'error',
      dataChangeRequest: 'error',
    });
  });

  test('A23: a duplicate call takes seven kinds along, unless the app names others', () => {
    expect(specialGroups().call.header.submitted.copies).toEqual(CALL_COPIES);
    expect(CALL_COPIES).toHaveLength(7);
    expect(specialGroups({ call: { copies: ['visitSample'] } }).call.header.submitted.copies).toEqual(['visitSample']);
  });

  test('A15: names are the app’s, and record types are inferred as ever', () => {
    const { call, order } = specialGroups({
      call: { status: 'state', submitted: ['sent', 'signed'], copies: ['visitSample'], reopenAs: 'saved', duplicateOf: 'original' },
    });
    const schema = defineSchema({
      version: 1,
      objects: {
        visit: { ...call.header, fields: { state: picklist('saved', 'sent', 'signed'), original: serverOwned(reference('visit')) } },
        visitSample: { ...call.member, fields: { visit: parent('visit', { group: true }), product: text() } },
        order: { ...order.header, fields: { status: picklist('open', 'submitted') } },
      },
    });
    expect(schema.objects.visit.submitted).toEqual({
      field: 'state', values: ['sent', 'signed'], elsewhere: 'duplicate', copies: ['visitSample'], reopenAs: 'saved', duplicateOf: 'original',
    });
    expectTypeOf<RecordOf<typeof schema, 'visit'>['state']>().toEqualTypeOf<'saved' | 'sent' | 'signed' | null>();
  });
});

describe('groups of a schema', () => {
  const schema = defineSchema({
    version: 1,
    objects: {
      note: { fields: { text: text() } },
      part: { fields: { line: parent('line', { group: true }) } },
      order: { fields: { number: text() } },
      line: { fields: { order: parent('order', { group: true }) } },
      visit: { fields: { order: parent('order') } },
    },
  });

  test('A15: a group holds all that hangs on its header, parents before children', () => {
    expect(groupObjectsOf(schema, 'order')).toEqual(['order', 'line', 'part']);
    expect(groupParentOf(schema, 'part')).toEqual({ field: 'line', target: 'line' });
    expect(['order', 'line', 'part'].map((object) => groupHeaderOf(schema, object))).toEqual(['order', 'order', 'order']);
  });

  test('A14: a record without group relations is in no group', () => {
    expect(groupHeaderOf(schema, 'note')).toBeNull();
    expect(groupHeaderOf(schema, 'visit')).toBeNull();
  });

  test('a group that holds itself is refused', () => {
    const tree = () => defineSchema({ version: 1, objects: { folder: { fields: { above: parent('folder', { group: true }) } } } });
    expect(tree).toThrow(expect.objectContaining({ code: 'SCHEMA_INVALID' }));
  });
});

describe('a submitted definition', () => {
  const define = (submitted: object, fields: object = {}) => () =>
    defineSchema({
      version: 1,
      objects: {
        call: { submitted: { field: 'status', values: ['sent'], ...submitted }, fields: { status: picklist('open', 'sent'), copyOf: reference('call'), ...fields } },
        sample: { submitted: undefined as never, fields: { call: parent('call', { group: true }) } },
      },
    });
  const INVALID = expect.objectContaining({ code: 'SCHEMA_INVALID', details: { path: 'call.submitted' } });

  test('is taken when it fits the schema', () => {
    expect(define({ elsewhere: 'duplicate', copies: ['sample'], reopenAs: 'open' })).not.toThrow();
  });

  test.each<readonly [what: string, submitted: object]>([
    ['a field that does not exist', { field: 'state' }],
    ['a field that holds no text', { field: 'copyOf' }],
    ['an unknown way', { elsewhere: 'merge' }],
    ['a copy of no object', { copies: ['expense'] }],
    ['reopening as submitted', { reopenAs: 'sent' }],
    ['reopening as no option', { reopenAs: 'draft' }],
    ['a link that devices write', { duplicateOf: 'copyOf' }],
  ])('is refused with %s', (_what, submitted) => {
    expect(define(submitted)).toThrow(INVALID);
  });

  test('is refused when copies of it need a state and are given none', () => {
    const fields = { state: text({ required: true }) };
    expect(define({ elsewhere: 'duplicate', field: 'state' }, fields)).toThrow(INVALID);
    expect(define({ elsewhere: 'duplicate', field: 'state', reopenAs: 'open' }, fields)).not.toThrow();
  });

  test('is refused without a value that means submitted', () => {
    expect(define({ values: [] })).toThrow(expect.objectContaining({ code: 'SCHEMA_INVALID' }));
  });

  test('is the header’s: a member of the group has none of its own', () => {
    const define = () =>
      defineSchema({
        version: 1,
        objects: {
          call: { fields: { status: text() } },
          sample: { submitted: { field: 'status', values: ['sent'] }, fields: { call: parent('call', { group: true }), status: text() } },
        },
      });
    expect(define).toThrow(expect.objectContaining({ details: { path: 'sample.submitted' } }));
  });
});
