import { groupHeaderOf, groupParentOf } from '../../../src/protocol/groups.ts';
import { compareVersions, type RecordVersion } from '../../../src/protocol/version.ts';
import { schema, submittedOf, type Values } from '../crm.ts';
import { isSubmitted, type OnlineHistory, type Writer } from './online-history.ts';
import type { Sending } from './saves.ts';

/** How a header came to be submitted. */
export interface Submission {
  readonly key: string;
  readonly version: RecordVersion;
  readonly by: Writer;
}

/** How a header that is submitted online came to be so; `null` for one that is not. */
export function submissionOf(history: OnlineHistory, key: string): Submission | null {
  const definition = submittedOf(objectOf(key));
  const versions = history.versions(key);
  const current = versions.at(-1);
  if (definition === null || current === undefined || current.isDeleted || !isSubmitted(current)) return null;
  const first = versions.findLastIndex((version) => version.isDeleted || !isSubmitted(version)) + 1;
  return { key, version: versions[first]!.version, by: versions[first]!.writers[definition.field]! };
}

/** The headers of the groups that a sending touches: where its records are online, and where it puts them. */
export function headersOf(history: OnlineHistory, { members }: Sending): string[] {
  const created = new Map(members.flatMap(({ key, op, fields }) => (op === 'create' ? [[key, Object.fromEntries([...fields].map(([name, { next }]) => [name, next])) as Values]] : [])));
  const valuesOf = (key: string): Values | null => created.get(key) ?? history.current(key)?.values ?? null;
  const found = members.flatMap(({ key, object, fields }) => {
    if (groupHeaderOf(schema, object) === null) return [];
    const parent = groupParentOf(schema, object);
    const moved = parent === null ? undefined : fields.get(parent.field)?.next;
    return [climb(key, valuesOf(key), valuesOf), ...(typeof moved === 'string' ? [climb(`${parent!.target}/${moved}`, valuesOf(`${parent!.target}/${moved}`), valuesOf)] : [])];
  });
  return [...new Set(found.filter((key) => key !== null))];
}

function climb(key: string, values: Values | null, valuesOf: (key: string) => Values | null): string | null {
  const parent = groupParentOf(schema, objectOf(key));
  if (parent === null) return key;
  const above = values?.[parent.field];
  return typeof above === 'string' ? climb(`${parent.target}/${above}`, valuesOf(`${parent.target}/${above}`), valuesOf) : null;
}

/** What must become of a sending whose header is submitted (rules A23, A24); `null` when none is. */
export function verdictOn(history: OnlineHistory, sending: Sending): ReadonlySet<'refused' | 'discarded' | 'needsDuplicate'> | null {
  const submissions = headersOf(history, sending).flatMap((key) => submissionOf(history, key) ?? []);
  if (submissions.length === 0) return null;
  return new Set(
    submissions.map(({ key, version, by }) => {
      const named = sending.headers.find((header) => header.key === key);
      const isKnown = (named !== undefined && compareVersions(named.base, version) >= 0) || (by !== 'online' && by.store === sending.store);
      const elsewhere = submittedOf(objectOf(key))!.elsewhere ?? 'error';
      if (isKnown || elsewhere === 'error') return 'refused';
      return elsewhere === 'discard' ? 'discarded' : 'needsDuplicate';
    }),
  );
}

function objectOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}
