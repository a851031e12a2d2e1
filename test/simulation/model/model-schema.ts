import { defineSchema, integer, lastModified, parent, picklist, reference, serverOwned, text, type Schema } from '../../../src/schema.ts';
import type { SyncServerOptions } from '../../../src/server/sync-server-options.ts';

/** The records of the model: checked ones, of which a trigger rewrites one field and computes another, and two kinds of groups. */
export function modelSchema(isNeverCoalesced: boolean) {
  return defineSchema({
    version: 1,
    objects: {
      item: {
        ...(isNeverCoalesced ? { coalesce: 'never' as const } : {}),
        fields: { name: text(), a: text(), b: text(), note: text(), amount: integer(), label: serverOwned(text()), modified: lastModified() },
      },
      order: {
        mode: 'override',
        submitted: { field: 'status', values: ['sent'], elsewhere: 'discard' },
        fields: { name: text(), a: text(), status: picklist('open', 'sent'), modified: lastModified() },
      },
      line: { mode: 'override', fields: { order: parent('order', { group: true }), name: text(), a: text(), modified: lastModified() } },
      call: {
        mode: 'override',
        submitted: { field: 'status', values: ['submitted'], elsewhere: 'duplicate', reopenAs: 'saved', duplicateOf: 'copyOf' },
        fields: { name: text(), a: text(), status: picklist('saved', 'submitted'), copyOf: serverOwned(reference('call')), modified: lastModified() },
      },
      sample: { mode: 'override', fields: { call: parent('call', { group: true }), name: text(), a: text(), modified: lastModified() } },
    },
  });
}

export type ModelSchema = Schema & ReturnType<typeof modelSchema>;

/** The fields of an item that people edit. */
export const ITEM_FIELDS = ['a', 'b', 'note', 'amount'] as const;

export const modelHooks: NonNullable<SyncServerOptions<ModelSchema>['objects']> = {
  item: {
    beforeSave: ({ next, previous }) => ({
      ...(next.note === (previous?.note ?? null) ? {} : { note: next.note === null ? null : `${next.note}~` }),
      label: next.amount === null ? null : `${next.amount} pieces`,
    }),
  },
};
