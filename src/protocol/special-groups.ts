import type { ObjectDefinition, SubmittedDefinition } from './schema.ts';

/** What differs from app to app in one of the groups. */
export interface SpecialGroupNames {
  /** The header's field that tells whether it is submitted. @defaultValue 'status' */
  readonly status?: string;
  /** Its values that mean "submitted". @defaultValue ['submitted'] */
  readonly submitted?: readonly string[];
}

/** What differs from app to app in calls. */
export interface CallNames extends SpecialGroupNames {
  /** The objects whose records go into a duplicate call (rule A23). @defaultValue {@link CALL_COPIES} */
  readonly copies?: readonly string[];
  /** The status of a duplicate whose original was submitted on both devices. @defaultValue no value */
  readonly reopenAs?: string;
  /** The server-owned reference in which a duplicate names its original. @defaultValue none */
  readonly duplicateOf?: string;
}

/** The kinds of records that a duplicate call takes along (rule A23). */
export const CALL_COPIES: readonly string[] = [
  'callSample',
  'callDiscussion',
  'medicalDiscussion',
  'callKeyMessage',
  'callExpense',
  'task',
  'callClickstream',
];

/** Names of the six groups' fields and values, where an app has others. */
export interface SpecialGroupsOptions {
  /** Calls, where their names are others. @defaultValue the names of {@link SpecialGroupNames} */
  readonly call?: CallNames;
  /** Orders, where their names are others. @defaultValue the names of {@link SpecialGroupNames} */
  readonly order?: SpecialGroupNames;
  /** Inventory monitoring, where their names are others. @defaultValue the names of {@link SpecialGroupNames} */
  readonly inventoryMonitoring?: SpecialGroupNames;
  /** Content acknowledgment, where their names are others. @defaultValue the names of {@link SpecialGroupNames} */
  readonly contentAcknowledgment?: SpecialGroupNames;
  /** Medical inquiry fulfillment, where their names are others. @defaultValue the names of {@link SpecialGroupNames} */
  readonly medicalInquiryFulfillment?: SpecialGroupNames;
  /** Data change requests, where their names are others. @defaultValue the names of {@link SpecialGroupNames} */
  readonly dataChangeRequest?: SpecialGroupNames;
}

/** How the objects of a group are saved: spread `header` and `member` into their definitions. */
export interface SpecialGroup {
  /** For the object that leads the group. */
  readonly header: Required<Pick<ObjectDefinition, 'mode' | 'submitted'>>;
  /** For each object below it. */
  readonly member: Required<Pick<ObjectDefinition, 'mode'>>;
}

/** The six groups by what they are. */
export type SpecialGroups = { readonly [Name in keyof Required<SpecialGroupsOptions>]: SpecialGroup };

/**
 * The six transaction groups of field-force apps (rules A15, A22–A24): calls, orders, inventory monitoring, content acknowledgment,
 * medical inquiry fulfillment and data change requests. All override; a call that was submitted elsewhere is duplicated, edits of an
 * order or of inventory monitoring are discarded, those of the others become sync errors. Objects and fields are the app's own:
 *
 * ```ts
 * import { defineSchema, integer, parent, picklist, specialGroups, text } from 'fieldtide/schema';
 *
 * const { order } = specialGroups({ order: { status: 'state', submitted: ['sent'] } });
 *
 * export const schema = defineSchema({
 *   version: 1,
 *   objects: {
 *     order: { ...order.header, fields: { state: picklist('open', 'sent') } },
 *     orderLine: { ...order.member, fields: { order: parent('order', { group: true }), product: text(), quantity: integer() } },
 *   },
 * });
 * ```
 */
export function specialGroups(options: SpecialGroupsOptions = {}): SpecialGroups {
  const { copies = CALL_COPIES, reopenAs, duplicateOf } = options.call ?? {};
  return {
    call: createGroup(options.call, { elsewhere: 'duplicate', copies, ...(reopenAs !== undefined && { reopenAs }), ...(duplicateOf !== undefined && { duplicateOf }) }),
    order: createGroup(options.order, { elsewhere: 'discard' }),
    inventoryMonitoring: createGroup(options.inventoryMonitoring, { elsewhere: 'discard' }),
    contentAcknowledgment: createGroup(options.contentAcknowledgment, { elsewhere: 'error' }),
    medicalInquiryFulfillment: createGroup(options.medicalInquiryFulfillment, { elsewhere: 'error' }),
    dataChangeRequest: createGroup(options.dataChangeRequest, { elsewhere: 'error' }),
  };
}

function createGroup(
  { status = 'status', submitted = ['submitted'] }: SpecialGroupNames = {},
  elsewhere: Omit<SubmittedDefinition, 'field' | 'values'>,
): SpecialGroup {
  return { header: { mode: 'override', submitted: { field: status, values: submitted, ...elsewhere } }, member: { mode: 'override' } };
}
