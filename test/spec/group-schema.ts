import { autoNumber, decimal, defineSchema, integer, parent, picklist, recordId, serverOwned, specialGroups, text, reference } from '../../src/schema.ts';
import type { WireHeader } from '../../src/protocol/messages.ts';
import type { TestChange, TestEntry, Values } from '../server/harness.ts';

const { call, order, inventoryMonitoring, medicalInquiryFulfillment } = specialGroups({
  call: { copies: ['callSample', 'sampleLot', 'callDiscussion'], reopenAs: 'saved', duplicateOf: 'copiedFrom' },
  order: { submitted: ['submitted', 'shipped'] },
});

const inCall = { call: parent('call', { group: true }) };

/** Groups of each kind: calls are duplicated, orders discarded, inquiries refused; a task is a group of its own. */
export const groupSchema = defineSchema({
  version: 1,
  objects: {
    call: {
      ...call.header,
      fields: {
        name: text({ required: true }),
        status: picklist('saved', 'submitted'),
        notes: text(),
        copiedFrom: serverOwned(reference('call')),
        number: autoNumber({ prefix: 'C-' }),
        serverId: recordId(),
        quantity: serverOwned(integer()),
      },
    },
    callSample: { ...call.member, fields: { ...inCall, product: text(), quantity: integer({ min: 1 }) } },
    sampleLot: { ...call.member, fields: { sample: parent('callSample', { group: true }), lot: text() } },
    callDiscussion: { ...call.member, fields: { ...inCall, topic: text() } },
    callAttendee: { ...call.member, fields: { ...inCall, person: text() } },
    order: { ...order.header, fields: { status: text(), notes: text(), total: serverOwned(decimal()) } },
    line: { ...order.member, fields: { order: parent('order', { group: true }), product: text(), quantity: integer({ min: 1 }) } },
    stock: { ...inventoryMonitoring.header, fields: { status: picklist('open', 'submitted'), notes: text() } },
    inquiry: { ...medicalInquiryFulfillment.header, fields: { status: picklist('open', 'submitted'), question: text() } },
    response: { ...medicalInquiryFulfillment.member, fields: { inquiry: parent('inquiry', { group: true }), answer: text() } },
    task: { submitted: { field: 'state', values: ['done'], elsewhere: 'discard' }, fields: { state: text(), title: text() } },
  },
});

/** A header at the version that the user saw. */
export const header = (object: string, id: string, n: number, epoch = n === 0 ? 0 : 1): WireHeader => ({ object, id, epoch, n });

export const create = (object: string, id: string, values: Values): TestChange => ({ create: object, id, values });
export const update = (object: string, id: string, from: Values, to: Values): TestChange => ({ update: object, id, from, to });
export const remove = (object: string, id: string, was: Values = {}): TestChange => ({ remove: object, id, was });

/** An entry as a device makes it. */
export const entry = (number: number, headers: readonly WireHeader[], ...changes: readonly TestChange[]): TestEntry => ({ number, headers, changes });
