import {
  autoNumber,
  dateTime,
  decimal,
  defineSchema,
  integer,
  json,
  lastModified,
  multiPicklist,
  parent,
  picklist,
  recordId,
  reference,
  serverOwned,
  text,
  type FieldValue,
} from '../../src/schema.ts';
import type { Field } from '../../src/protocol/field.ts';
import { groupHeaderOf } from '../../src/protocol/groups.ts';
import type { ObjectDefinition, SubmittedDefinition } from '../../src/protocol/schema.ts';
import { refuse, type CanSee, type HookRefusal, type InScope, type SaveOrigin } from '../../src/server/index.ts';
import type { SyncServerOptions } from '../../src/server/sync-server-options.ts';

/** What the simulated users work on: every way in which the server treats a record, in four small objects. */
export const schema = defineSchema({
  version: 1,
  objects: {
    /** Checked; a trigger rewrites one field and computes another, roll-ups come from its visits. */
    account: {
      fields: {
        name: text({ required: true }),
        city: text(),
        staff: integer(),
        revenue: decimal(),
        tier: picklist('A', 'B', 'C'),
        note: text(),
        referredBy: reference('account'),
        summary: serverOwned(text()),
        visits: serverOwned(integer()),
        lastVisit: serverOwned(text()),
        number: autoNumber({ prefix: 'A-' }),
        serverId: recordId(),
        modified: lastModified(),
      },
    },
    /** Checked; its master must exist. Each save of it goes up by itself. */
    visit: {
      coalesce: 'never',
      fields: {
        account: parent('account'),
        subject: text({ required: true }),
        minutes: integer(),
        outcome: picklist('open', 'done'),
        remarks: text(),
        modified: lastModified(),
      },
    },
    /** Nothing is compared; with its lines it is saved as a whole. Edits of a sent one are dropped (rule A24). */
    order: {
      mode: 'override',
      submitted: { field: 'status', values: ['sent'], elsewhere: 'discard', reopenAs: 'open' },
      fields: {
        account: reference('account'),
        remarks: text(),
        quantity: integer(),
        price: decimal(),
        status: picklist('open', 'sent'),
        tags: multiPicklist('urgent', 'gift', 'sample'),
        due: dateTime(),
        extra: json(),
        lines: serverOwned(integer()),
        modified: lastModified(),
      },
    },
    line: {
      mode: 'override',
      fields: { order: parent('order', { group: true }), product: text({ required: true }), quantity: integer(), price: decimal(), modified: lastModified() },
    },
    /** Edits of a submitted one become a copy, without its attendees (rule A23). */
    call: {
      mode: 'override',
      submitted: { field: 'status', values: ['submitted'], elsewhere: 'duplicate', copies: ['sample', 'lot', 'expense'], reopenAs: 'saved', duplicateOf: 'copyOf' },
      fields: {
        account: reference('account'),
        subject: text(),
        status: picklist('saved', 'submitted'),
        remarks: text(),
        copyOf: serverOwned(reference('call')),
        modified: lastModified(),
      },
    },
    sample: { mode: 'override', fields: { call: parent('call', { group: true }), product: text(), quantity: integer(), modified: lastModified() } },
    lot: { mode: 'override', fields: { sample: parent('sample', { group: true }), code: text(), modified: lastModified() } },
    expense: { mode: 'override', fields: { call: parent('call', { group: true }), amount: decimal(), reason: text(), modified: lastModified() } },
    attendee: { mode: 'override', fields: { call: parent('call', { group: true }), person: text(), modified: lastModified() } },
    /** A group that is compared; edits of a closed one are sync errors. */
    inquiry: {
      submitted: { field: 'status', values: ['closed'], reopenAs: 'open' },
      fields: { question: text(), urgency: integer(), status: picklist('open', 'closed'), modified: lastModified() },
    },
    response: { fields: { inquiry: parent('inquiry', { group: true }), body: text(), score: integer(), modified: lastModified() } },
    /** Of a save in conflict, what is not in conflict is saved. */
    profile: {
      onConflict: 'keepCleanFields',
      fields: { title: text(), phone: text(), email: text(), level: integer(), modified: lastModified() },
    },
    /** Only its owner sees it. */
    memo: {
      fields: {
        owner: text({ required: true }),
        body: text(),
        colour: picklist('red', 'green', 'blue'),
        modified: lastModified(),
      },
    },
  },
});

export type ObjectName = keyof typeof schema.objects;
export const OBJECTS = Object.keys(schema.objects) as ObjectName[];

export type Values = Readonly<Record<string, FieldValue>>;

/** Fields that devices write. */
export const DEVICE_FIELDS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(schema.objects).map(([object, { fields }]) => [object, Object.entries(fields).filter(([, { owner }]) => owner === 'device').map(([name]) => name)]),
);

/** Says whether the server compares an object's values (rule A19). */
export function isChecked(object: string): boolean {
  return DEFINITIONS[object]?.mode !== 'override';
}

/** The master of an object's records, and the field that names it. */
export const MASTERS: Readonly<Record<string, { readonly field: string; readonly target: string }>> = Object.fromEntries(
  Object.entries(schema.objects).flatMap(([object, { fields }]) =>
    Object.entries(fields as Readonly<Record<string, Field>>).flatMap(([field, { parent: isParent, target }]) => (isParent === true ? [[object, { field, target: target! }]] : [])),
  ),
);

/** What hangs on what in the transaction groups, by header. */
export const GROUPS = {
  order: [{ object: 'line', field: 'order', target: 'order' }],
  call: [
    { object: 'sample', field: 'call', target: 'call' },
    { object: 'lot', field: 'sample', target: 'sample' },
    { object: 'expense', field: 'call', target: 'call' },
    { object: 'attendee', field: 'call', target: 'call' },
  ],
  inquiry: [{ object: 'response', field: 'inquiry', target: 'inquiry' }],
} as const satisfies Partial<Record<ObjectName, readonly GroupPart[]>>;

/** An object of a group, and by what it hangs on which other. */
export interface GroupPart {
  readonly object: ObjectName;
  readonly field: string;
  readonly target: ObjectName;
}

export type HeaderName = keyof typeof GROUPS;

const DEFINITIONS: Readonly<Record<string, ObjectDefinition>> = schema.objects;

/** When an object's records count as submitted; `null` for never. */
export function submittedOf(object: string): SubmittedDefinition | null {
  return DEFINITIONS[object]?.submitted ?? null;
}

/** Says whether later saves may join a waiting one (rule C8). */
export function canCoalesce(object: string): boolean {
  return DEFINITIONS[object]?.coalesce !== 'never' && groupHeaderOf(schema, object) === null;
}

/** Says whether a save in conflict is saved as far as it can be. */
export function keepsCleanFields(object: string): boolean {
  return DEFINITIONS[object]?.onConflict === 'keepCleanFields';
}

/** Memos are private. */
export const canSee: CanSee = ({ user }, { object, values }) => object !== 'memo' || values.owner === user;

/** Green memos are on no download. */
export const inScope: InScope = (_reader, { object, values }) => object !== 'memo' || values.colour !== 'green';

/** A name that the validation refuses, now and for ever. */
export const UNWANTED = '!';

/** What a hook does wrong, this once. */
export type HookMishap = 'none' | 'throw' | 'refuse' | 'slow' | 'too-slow';

export type Hooks = NonNullable<SyncServerOptions<typeof schema>['objects']>;

/** What the trigger makes of a note. */
export function rewriteNote(note: FieldValue): FieldValue {
  return note === null ? null : `${note as string}~`;
}

/** What the trigger makes of the city when the revenue changes. */
export function cityOf(revenue: FieldValue): FieldValue {
  return revenue === null ? null : `earns ${revenue as string}`;
}

/** The back office's own logic. `mishap` is asked at each save; `wait` takes virtual time. */
export function createHooks({ mishap, wait }: { readonly mishap: (origin: SaveOrigin) => HookMishap; readonly wait: (ms: number) => Promise<void> }): Hooks {
  const stumble = async ({ origin }: { readonly origin: SaveOrigin }): Promise<HookRefusal | undefined> => {
    switch (mishap(origin)) {
      case 'throw': throw new Error('the hook failed (injected)');
      case 'refuse': return refuse(null, 'injected');
      case 'slow': return wait(20).then(() => undefined);
      case 'too-slow': return wait(15_000).then(() => undefined);
      default: return undefined;
    }
  };
  return {
    account: {
      beforeSave({ previous, next }) {
        return {
          ...(next.note === (previous?.note ?? null) ? {} : { note: rewriteNote(next.note) as string }),
          ...(next.revenue === (previous?.revenue ?? null) ? {} : { city: cityOf(next.revenue) as string }),
        };
      },
      validate: (context) => (context.next.name!.endsWith(UNWANTED) ? refuse('name', 'unwanted') : stumble(context)),
      formulas: ({ record, children }) => ({ summary: `${record.name}/${record.city ?? ''}`, visits: children.visit.length }),
    },
    visit: {
      validate: stumble,
      async afterSave({ next, records, write }) {
        if (!next?.account || (await records.get('account', next.account)) === null) return;
        await write.update('account', next.account, { lastVisit: next.subject });
      },
    },
    order: { validate: stumble, formulas: ({ children }) => ({ lines: children.line.length }) },
    line: { validate: stumble },
    call: { validate: stumble },
    inquiry: { validate: stumble },
    response: { validate: stumble },
    profile: { validate: stumble },
    memo: { validate: stumble },
  };
}
