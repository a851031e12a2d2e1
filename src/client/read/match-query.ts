import type { FieldValue } from '../../protocol/field.ts';
import type { Schema } from '../../protocol/schema.ts';
import { canonicalValue } from '../../protocol/value.ts';
import { SyncFault } from '../../shared/fault.ts';
import type { RecordView } from '../engine.ts';
import type { FieldComparison, FieldTest, Query, SortOrder } from './query.ts';

/** A query made ready: it tests, orders and cuts. */
export interface CompiledQuery {
  readonly object: string;
  matches(record: RecordView): boolean;
  /** Sorts and cuts a list of matching records. */
  arrange(records: RecordView[]): RecordView[];
}

type Test = (value: FieldValue) => boolean;

/** Checks a query against the schema and makes it ready. @throws {@link SyncFault} `OBJECT_UNKNOWN`, `QUERY_INVALID` */
export function compileQuery(query: Query, schema: Schema): CompiledQuery {
  const fields = schema.objects[query.object]?.fields;
  if (fields === undefined) throw new SyncFault('OBJECT_UNKNOWN', `the schema has no object ${query.object}`, { details: { object: query.object } });
  const checkField = (name: string): void => {
    if (name !== 'id' && !Object.hasOwn(fields, name)) throw invalid(query.object, `has no field ${name}`);
  };
  const tests = Object.entries(query.where ?? {}).map(([name, test]) => {
    checkField(name);
    const canonical = (value: FieldValue): FieldValue => (name === 'id' ? value : canonicalValue(fields[name]!.type, value, `${query.object}.${name}`));
    return { name, test: compileTest(test, canonical) };
  });
  const orders = [query.orderBy ?? []].flat().map((order) => normaliseOrder(order as SortOrder));
  for (const { field } of orders) checkField(field);
  const offset = checkCount(query, 'offset') ?? 0;
  const limit = checkCount(query, 'limit');
  const compare = (left: RecordView, right: RecordView): number => {
    for (const { field, sign } of orders) {
      const difference = compareValues(read(left, field), read(right, field), sign);
      if (difference !== 0) return difference;
    }
    return left.id < right.id ? -1 : left.id > right.id ? 1 : 0;
  };
  return {
    object: query.object,
    matches: (record) => tests.every(({ name, test }) => test(read(record, name))),
    arrange: (records) => records.sort(compare).slice(offset, limit === undefined ? undefined : offset + limit),
  };
}

function read(record: RecordView, field: string): FieldValue {
  return field === 'id' ? record.id : (record.values[field] ?? null);
}

function compileTest(test: FieldTest, canonical: (value: FieldValue) => FieldValue): Test {
  if (isComparison(test)) return compileComparison(test, canonical);
  const expected = canonical(test as FieldValue);
  return (value) => isSame(value, expected);
}

function compileComparison(test: FieldComparison, canonical: (value: FieldValue) => FieldValue): Test {
  const parts: Test[] = [];
  if (test.in !== undefined) {
    const allowed = test.in.map(canonical);
    parts.push((value) => allowed.some((member) => isSame(value, member)));
  }
  if (test.not !== undefined) {
    const unwanted = canonical(test.not);
    parts.push((value) => !isSame(value, unwanted));
  }
  if (test.startsWith !== undefined) {
    const prefix = test.startsWith.toLowerCase();
    parts.push((value) => typeof value === 'string' && value.toLowerCase().startsWith(prefix));
  }
  if (test.contains !== undefined) {
    const part = test.contains.toLowerCase();
    parts.push((value) => typeof value === 'string' && value.toLowerCase().includes(part));
  }
  for (const [bound, holds] of BOUNDS) {
    const limit = test[bound];
    if (limit !== undefined) parts.push((value) => value !== null && holds(compareScalars(value, limit)));
  }
  return (value) => parts.every((part) => part(value));
}

const BOUNDS = [
  ['greaterThan', (difference: number): boolean => difference > 0],
  ['atLeast', (difference: number): boolean => difference >= 0],
  ['lessThan', (difference: number): boolean => difference < 0],
  ['atMost', (difference: number): boolean => difference <= 0],
] as const;

const TEST_WORDS: ReadonlySet<string> = new Set(['in', 'not', 'startsWith', 'contains', ...BOUNDS.map(([word]) => word)]);

function isComparison(test: FieldTest): test is FieldComparison {
  return typeof test === 'object' && test !== null && !Array.isArray(test) && Object.keys(test).length > 0 && Object.keys(test).every((word) => TEST_WORDS.has(word));
}

function isSame(left: FieldValue, right: FieldValue): boolean {
  if (left === right) return true;
  return typeof left === 'object' && typeof right === 'object' && JSON.stringify(left) === JSON.stringify(right);
}

/** Records without a value come last in either direction. */
function compareValues(left: FieldValue, right: FieldValue, sign: 1 | -1): number {
  if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
  return sign * compareScalars(left, right);
}

function compareScalars(left: FieldValue, right: FieldValue): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  const a = typeof left === 'string' ? left : JSON.stringify(left), b = typeof right === 'string' ? right : JSON.stringify(right);
  if (isDecimal(a) && isDecimal(b)) return Number(a) - Number(b) || (a < b ? -1 : a > b ? 1 : 0);
  return a < b ? -1 : a > b ? 1 : 0;
}

function isDecimal(text: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(text);
}

function normaliseOrder(order: SortOrder): { readonly field: string; readonly sign: 1 | -1 } {
  return typeof order === 'string' ? { field: order, sign: 1 } : { field: order.field, sign: order.direction === 'descending' ? -1 : 1 };
}

function checkCount(query: Query, name: 'limit' | 'offset'): number | undefined {
  const count = query[name];
  if (count !== undefined && (!Number.isSafeInteger(count) || count < 0)) throw invalid(query.object, `needs a ${name} that is a whole number from 0 up`);
  return count;
}

function invalid(object: string, problem: string): SyncFault {
  return new SyncFault('QUERY_INVALID', `query of ${object} ${problem}`, { details: { object } });
}
