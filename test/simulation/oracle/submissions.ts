import { groupHeaderOf, groupParentOf } from '../../../src/protocol/groups.ts';
import { compareVersions, type RecordVersion } from '../../../src/protocol/version.ts';
import { schema, submittedOf, type Values } from '../crm.ts';
import { isSubmitted, type OnlineHistory, type Writer } from './online-history.ts';
import type { SavedMember, Sending } from './saves.ts';

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

/** The headers of the groups that a sending touches: those that its records are in online, and those that it puts them in. */
export function headersOf(history: OnlineHistory, { members }: Sending): string[] {
  const own = new Map(members.map((member) => [member.key, member]));
  const parentOnline = (key: string, field: string): unknown => history.current(key)?.values[field];
  const parentThen = (key: string, field: string): unknown => {
    const member = own.get(key);
    return member !== undefined && member.op !== 'remove' && member.fields.has(field) ? member.fields.get(field)!.next : parentOnline(key, field);
  };
  const found = members.flatMap(({ key, object }) => (groupHeaderOf(schema, object) === null ? [] : [climb(key, parentOnline), climb(key, parentThen)]));
  return [...new Set(found.filter((key) => key !== null))];
}

/** The headers of the groups that members are in after a save, as far as a device knows them. */
export function headersAbove(members: readonly SavedMember[], view: (key: string) => Values | null): ReadonlySet<string> {
  const own = new Map(members.map((member) => [member.key, member]));
  const parentOf = (key: string, field: string): unknown => {
    const member = own.get(key);
    return member !== undefined && member.op !== 'remove' && member.fields.has(field) ? member.fields.get(field)!.next : view(key)?.[field];
  };
  const grouped = members.filter(({ object, op }) => op !== 'remove' && groupHeaderOf(schema, object) !== null);
  return new Set(grouped.flatMap(({ key }) => climb(key, parentOf) ?? []));
}

function climb(key: string, parentOf: (key: string, field: string) => unknown): string | null {
  const parent = groupParentOf(schema, objectOf(key));
  if (parent === null) return key;
  const above = parentOf(key, parent.field);
  return typeof above === 'string' ? climb(`${parent.target}/${above}`, parentOf) : null;
}

/** What must become of a sending whose header is submitted (rules A23, A24); `null` when none is. */
export function verdictOn(history: OnlineHistory, sending: Sending): ReadonlySet<'refused' | 'discarded' | 'needsDuplicate'> | null {
  const headers = headersOf(history, sending);
  const submissions = headers.flatMap((key) => submissionOf(history, key) ?? []);
  if (submissions.length === 0) return null;
  return new Set(
    submissions.map(({ key, version, by }) => {
      const named = sending.headers.find((header) => header.key === key);
      const isKnown = (named !== undefined && compareVersions(named.base, version) >= 0) || (by !== 'online' && by.store === sending.store);
      const elsewhere = submittedOf(objectOf(key))!.elsewhere ?? 'error';
      // What is between two groups, or in one that the device does not know of, is for the user to decide.
      if (isKnown || elsewhere === 'error' || headers.length > 1 || named === undefined) return 'refused';
      return elsewhere === 'discard' ? 'discarded' : 'needsDuplicate';
    }),
  );
}

function objectOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}
