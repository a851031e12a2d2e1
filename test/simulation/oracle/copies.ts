import { groupObjectsOf, groupParentOf } from '../../../src/protocol/groups.ts';
import { DEVICE_FIELDS, schema, submittedOf, type Values } from '../crm.ts';
import type { Save, SavedMember } from './saves.ts';

/** Rule A23: what is wrong with a copy, held against the group as the user saw it just before; `null` when nothing is. */
export function findCopyProblem(copy: Save, view: (key: string) => Values | null, shown: (object: string) => ReadonlySet<string>): string | null {
  const [header] = copy.members;
  const original = view(copy.duplicateOf!);
  if (header === undefined || original === null) return 'there was nothing to copy';
  const expected = [describeRow(header.object, original), ...below(copy.duplicateOf!, view, shown)].sort();
  const found = copy.members.map((member) => describeRow(member.object, valuesOf(member))).sort();
  return expected.join('\n') === found.join('\n') ? null : `it should hold ${expected.join(', ')}, and holds ${found.join(', ')}`;
}

/** What is copied of the group that one record leads: records of the listed objects that hang on copied ones. */
function below(header: string, view: (key: string) => Values | null, shown: (object: string) => ReadonlySet<string>): string[] {
  const top = header.slice(0, header.indexOf('/'));
  const copied = new Set([header]);
  const rows: string[] = [];
  for (const object of groupObjectsOf(schema, top)) {
    const parent = groupParentOf(schema, object);
    if (parent === null || submittedOf(top)?.copies?.includes(object) === false) continue;
    for (const key of shown(object)) {
      const values = view(key);
      if (values === null || !copied.has(`${parent.target}/${String(values[parent.field])}`)) continue;
      copied.add(key);
      rows.push(describeRow(object, values));
    }
  }
  return rows;
}

/** A row without the references inside its group: those name new records. */
function describeRow(object: string, values: Values): string {
  const parent = groupParentOf(schema, object);
  return `${object} ${JSON.stringify(DEVICE_FIELDS[object]!.filter((name) => name !== parent?.field).map((name) => values[name] ?? null))}`;
}

function valuesOf({ fields }: SavedMember): Values {
  return Object.fromEntries([...fields].map(([name, { next }]) => [name, next]));
}
