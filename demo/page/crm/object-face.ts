import type { FieldValue } from '../../../src/schema.ts';
import type { SortOrder } from '../../../src/client/read/query.ts';
import { schema, type ObjectName } from '../../schema.ts';
import { formatDay, formatInstant, formatMoney } from './format.ts';

export type Values = Readonly<Record<string, FieldValue>>;
/** Says what a record is called; an empty text while that is not known yet. */
export type TitleOf = (object: ObjectName, id: FieldValue | undefined) => string;

/** How an object is shown. What it is made of stands in the schema. */
export interface ObjectFace {
  readonly one: string;
  readonly many: string;
  readonly title: (values: Values, titleOf: TitleOf) => string;
  readonly subtitle: (values: Values, titleOf: TitleOf) => string;
  /** The field that the search box looks in, and its name in words. */
  readonly searchField: string;
  readonly searchLabel: string;
  readonly orderBy: SortOrder;
  /** Fields a person edits, in order. */
  readonly fields: readonly string[];
  /** Fields the server writes, in order. */
  readonly serverFields: readonly string[];
  /** Records of other objects that point here. */
  readonly related: readonly { readonly object: ObjectName; readonly field: string; readonly title: string }[];
}

const text = (value: FieldValue | undefined): string => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '');
const joined = (...parts: readonly (string | false | null | undefined)[]): string => parts.filter(Boolean).join(' · ');

export const FACES: Readonly<Record<ObjectName, ObjectFace>> = {
  account: {
    one: 'account',
    many: 'Accounts',
    title: ({ name }) => text(name),
    subtitle: ({ kind, city, tier }) => joined(text(kind), text(city), tier !== null && `Tier ${text(tier)}`),
    searchField: 'name',
    searchLabel: 'name',
    orderBy: 'name',
    fields: ['name', 'kind', 'tier', 'street', 'city', 'phone', 'staff', 'isCustomer', 'notes'],
    serverFields: ['serverId', 'modified'],
    related: [
      { object: 'contact', field: 'account', title: 'Contacts' },
      { object: 'call', field: 'account', title: 'Calls' },
      { object: 'order', field: 'account', title: 'Orders' },
      { object: 'survey', field: 'account', title: 'Surveys' },
    ],
  },
  contact: {
    one: 'contact',
    many: 'Contacts',
    title: ({ firstName, lastName }) => `${text(firstName)} ${text(lastName)}`.trim(),
    subtitle: ({ role, account }, titleOf) => joined(text(role), titleOf('account', account)),
    searchField: 'lastName',
    searchLabel: 'last name',
    orderBy: 'lastName',
    fields: ['account', 'firstName', 'lastName', 'role', 'email', 'phone', 'interests'],
    serverFields: ['fullName', 'serverId', 'modified'],
    related: [{ object: 'call', field: 'contact', title: 'Calls' }],
  },
  call: {
    one: 'call',
    many: 'Calls',
    title: ({ subject }) => text(subject),
    subtitle: ({ at, status, account }, titleOf) => joined(formatInstant(text(at)), text(status), titleOf('account', account)),
    searchField: 'subject',
    searchLabel: 'subject',
    orderBy: { field: 'at', direction: 'descending' },
    fields: ['subject', 'account', 'contact', 'at', 'channel', 'status', 'notes', 'followUp'],
    serverFields: ['number', 'samples', 'duplicateOf', 'serverId', 'modified'],
    related: [
      { object: 'callSample', field: 'call', title: 'Samples' },
      { object: 'callKeyMessage', field: 'call', title: 'Key messages' },
    ],
  },
  callSample: {
    one: 'sample',
    many: 'Samples',
    title: ({ product }, titleOf) => titleOf('product', product) || 'Sample',
    subtitle: ({ quantity }) => joined(text(quantity) && `${text(quantity)} pieces`),
    searchField: 'product',
    searchLabel: 'product',
    orderBy: 'id',
    fields: ['product', 'quantity'],
    serverFields: ['serverId', 'modified'],
    related: [],
  },
  callKeyMessage: {
    one: 'key message',
    many: 'Key messages',
    title: ({ message }) => text(message) || 'Key message',
    subtitle: ({ reaction }) => text(reaction),
    searchField: 'message',
    searchLabel: 'message',
    orderBy: 'id',
    fields: ['message', 'reaction'],
    serverFields: ['serverId', 'modified'],
    related: [],
  },
  survey: {
    one: 'survey',
    many: 'Surveys',
    title: ({ title }) => text(title),
    subtitle: ({ askedOn, account, score }, titleOf) => joined(titleOf('account', account), formatDay(text(askedOn)), text(score) && `score ${text(score)}`),
    searchField: 'title',
    searchLabel: 'title',
    orderBy: { field: 'askedOn', direction: 'descending' },
    fields: ['title', 'account', 'askedOn'],
    serverFields: ['score', 'serverId', 'modified'],
    related: [{ object: 'surveyAnswer', field: 'survey', title: 'Answers' }],
  },
  surveyAnswer: {
    one: 'answer',
    many: 'Answers',
    title: ({ question }) => text(question) || 'Answer',
    subtitle: ({ rating, comment }) => joined(text(rating) && `${text(rating)} of 10`, text(comment)),
    searchField: 'question',
    searchLabel: 'question',
    orderBy: 'id',
    fields: ['question', 'rating', 'comment'],
    serverFields: ['serverId', 'modified'],
    related: [],
  },
  product: {
    one: 'product',
    many: 'Products',
    title: ({ name }) => text(name),
    subtitle: ({ code, price, unit }) => joined(text(code), formatMoney(text(price)), text(unit)),
    searchField: 'name',
    searchLabel: 'name',
    orderBy: 'name',
    fields: ['name', 'code', 'category', 'unit', 'price', 'isAvailable'],
    serverFields: ['serverId', 'modified'],
    related: [],
  },
  order: {
    one: 'order',
    many: 'Orders',
    title: ({ number }) => text(number) || 'New order',
    subtitle: ({ account, status, total }, titleOf) => joined(titleOf('account', account), text(status), formatMoney(text(total))),
    searchField: 'number',
    searchLabel: 'number',
    orderBy: { field: 'number', direction: 'descending' },
    fields: ['account', 'status', 'deliverOn', 'notes'],
    serverFields: ['number', 'total', 'serverId', 'modified'],
    related: [{ object: 'orderLine', field: 'order', title: 'Lines' }],
  },
  orderLine: {
    one: 'order line',
    many: 'Order lines',
    title: ({ product }, titleOf) => titleOf('product', product) || 'Order line',
    subtitle: ({ quantity, price, amount }) => joined(`${text(quantity)} × ${formatMoney(text(price)) || '–'}`, formatMoney(text(amount))),
    searchField: 'product',
    searchLabel: 'product',
    orderBy: 'id',
    fields: ['product', 'quantity', 'price'],
    serverFields: ['amount', 'serverId', 'modified'],
    related: [],
  },
};

/** The objects with a tab of their own; lines are reached through the record they belong to. */
export const TABS: readonly ObjectName[] = ['account', 'contact', 'call', 'order', 'survey', 'product'];

const LABELS: Readonly<Record<string, string>> = {
  isCustomer: 'Is a customer',
  isAvailable: 'Can be ordered',
  firstName: 'First name',
  lastName: 'Last name',
  fullName: 'Full name',
  askedOn: 'Asked on',
  duplicateOf: 'Copy of',
  samples: 'Samples in all',
  followUp: 'Follow up on',
  deliverOn: 'Deliver on',
  at: 'When',
  price: 'Price (€)',
  serverId: 'Record ID',
  modified: 'Last changed',
};

/** A field's name in words: `firstName` → `First name`. */
export function labelOf(field: string): string {
  return LABELS[field] ?? field.slice(0, 1).toUpperCase() + field.slice(1);
}

/** A field's value in words, for lists, logs and comparisons. */
export function describeValue(object: ObjectName, field: string, value: FieldValue | undefined, titleOf: TitleOf): string {
  const definition = fieldOf(object, field);
  if (value === null || value === undefined || value === '') return 'empty';
  if (definition?.type === 'reference') return titleOf(definition.target as ObjectName, value) || 'another record';
  if (definition?.type === 'dateTime') return formatInstant(text(value));
  if (definition?.type === 'date') return formatDay(text(value));
  if (definition?.type === 'decimal') return formatMoney(text(value));
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** A field's definition in the schema. */
export function fieldOf(object: ObjectName, field: string): FieldDefinition | undefined {
  return (schema.objects[object].fields as Readonly<Record<string, FieldDefinition>>)[field];
}

export interface FieldDefinition {
  readonly type: string;
  readonly required: boolean;
  readonly options?: readonly string[];
  readonly target?: string;
  readonly max?: number;
}
