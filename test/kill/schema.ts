import { autoNumber, defineSchema, integer, lastModified, parent, recordId, text } from '../../src/schema.ts';

/**
 * Notes that a device saves, and for each save of one a trace that the server's own trigger writes in the same transaction: a save that
 * was done twice leaves two, one that was lost leaves none.
 */
export const schema = defineSchema({
  version: 1,
  objects: {
    note: {
      fields: {
        /** New with each save, so that every save can be told from every other. */
        token: text({ required: true }),
        amount: integer(),
        number: autoNumber(),
        serverId: recordId(),
        modified: lastModified(),
      },
    },
    remark: { fields: { note: parent('note', { group: true }), token: text({ required: true }) } },
    /**
     * The back office writes these too, all the time: a save that comes twice meets another value and is seen in the traces. Each save is
     * to leave a trace of its own, so none may join another that waits.
     */
    counter: { mode: 'override', coalesce: 'never', fields: { token: text() } },
    trace: { fields: { token: text(), savedBy: text() } },
  },
});

export type KillSchema = typeof schema;

export const USER = 'ann';

export const COUNTERS: readonly string[] = ['counter-1', 'counter-2', 'counter-3'];
