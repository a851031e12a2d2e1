import type { Schema } from '../../protocol/schema.ts';
import type { EngineContext } from '../engine-context.ts';
import type { Query } from './query.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import type { Records, WorkingRecord } from './records.ts';

/** What resolving ids takes; `read` where the caller has read some records already. */
export type IdResolver = Pick<EngineContext, 'schema' | 'records'> & { readonly read?: (key: Key) => Promise<WorkingRecord> };

type Values = Readonly<Record<string, unknown>>;

/**
 * Rule C1: a reference may name a record by its Record ID; what is kept and sent is the id at birth, which wins where both are the same.
 *
 * @param created - records that the same save creates.
 */
export async function withBirthIds(resolver: IdResolver, object: string, values: Values, created?: ReadonlyMap<Key, unknown>): Promise<Values> {
  const resolved: Record<string, unknown> = { ...values };
  for (const [name, value] of Object.entries(values)) {
    const target = targetOf(resolver.schema, object, name);
    if (target !== undefined && created?.has(keyOf(target, String(value))) !== true) resolved[name] = await birthId(resolver, target, value);
  }
  return resolved;
}

/** Rule C1: a query may name records by their Record IDs too, as far as they are on this device when it is asked. */
export async function queryWithBirthIds(resolver: { readonly schema: Schema; readonly records: Records }, query: Query): Promise<Query> {
  const where: Record<string, unknown> = {};
  for (const [name, test] of Object.entries(query.where ?? {})) {
    const target = name === 'id' ? query.object : targetOf(resolver.schema, query.object, name);
    const id = (value: unknown): Promise<unknown> => birthId(resolver, target, value);
    if (typeof test !== 'object' || test === null) where[name] = await id(test);
    else if (target === undefined || Array.isArray(test)) where[name] = test;
    else {
      const { in: among, not } = test as { readonly in?: readonly unknown[]; readonly not?: unknown };
      where[name] = { ...test, ...(among && { in: await Promise.all(among.map(id)) }), ...(not !== undefined && { not: await id(not) }) };
    }
  }
  return query.where === undefined ? query : { ...query, where: where as NonNullable<Query['where']> };
}

async function birthId({ schema, records, read }: IdResolver, target: string | undefined, value: unknown): Promise<unknown> {
  if (target === undefined || typeof value !== 'string' || value === '') return value;
  if (!Object.values(schema.objects[target]!.fields).some(({ owner }) => owner === 'record-id')) return value;
  return splitKey(await records.resolve(target, value, read)).id;
}

/** The object that a field refers to; `undefined` where it is no reference, or no field. */
export function targetOf(schema: Schema, object: string, name: string): string | undefined {
  const { fields } = schema.objects[object]!;
  return Object.hasOwn(fields, name) ? fields[name]!.target : undefined;
}
