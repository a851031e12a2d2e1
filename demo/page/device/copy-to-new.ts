import type { JournalMember } from '../../../src/client/queue/journal.ts';
import type { Notice } from '../../../src/client/answers/notices.ts';
import type { RecordRef } from '../../../src/client/queue/outcomes.ts';
import type { SyncClient } from '../../../src/client/sync-client.ts';
import type { ObjectName } from '../../schema.ts';
import { lineKindsOf, submittedAs } from '../crm/groups.ts';
import { FACES, type Values } from '../crm/object-face.ts';
import type { CopiedLine } from '../records/record-source.ts';

/**
 * Begins a new record as a draft: the one that was submitted elsewhere, with the discarded edits of the journal on top. It is open again,
 * and nothing is sent before the person saves it.
 */
export async function copyToNew(client: SyncClient, { object: name, recordId, entries }: Notice): Promise<RecordRef> {
  const object = name as ObjectName;
  const lost = (await Promise.all(entries.map((entry) => client.journal.get(entry)))).flat().flatMap(({ members }) => members);
  const header = await client.objects[object]!.get(recordId);
  const lines: CopiedLine[] = [];
  for (const { object: child, field } of lineKindsOf(object)) {
    const rows = await client.objects[child]!.query({ where: { [field]: recordId } }).get();
    const edits = lost.filter((member) => member.object === child);
    const ids = new Set([...rows.map(({ id }) => id), ...edits.filter(({ op }) => op === 'create').map(({ id }) => id)]);
    for (const id of ids) {
      const own = edits.filter((edit) => edit.id === id);
      if (own.at(-1)?.op !== 'remove') lines.push({ object: child, values: merge((rows.find((row) => row.id === id) ?? null) as Values | null, own) });
    }
  }
  return copyToDraft(client, object, merge(header as Values | null, lost.filter(({ id }) => id === recordId)), lines);
}

/** Begins a draft of a new record with these values and lines; one that was closed is open again. */
export async function copyToDraft(client: SyncClient, object: ObjectName, header: Values, lines: readonly CopiedLine[]): Promise<RecordRef> {
  const draft = await client.objects[object]!.draft();
  await draft.set(written(object, submittedAs(object, header) === null ? header : { ...header, status: null }));
  const fields = new Map(lineKindsOf(object).map((kind) => [kind.object, kind.field]));
  for (const line of lines) await draft.add(line.object, { ...written(line.object, line.values), [fields.get(line.object)!]: draft.recordId });
  return { object, id: draft.recordId };
}

function merge(values: Values | null, edits: readonly JournalMember[]): Values {
  return Object.assign({}, values, ...edits.map(({ mine }) => mine)) as Values;
}

/** What a device may write of a record. */
function written(object: ObjectName, values: Values): Values {
  return Object.fromEntries(FACES[object].fields.map((field) => [field, values[field] ?? null]));
}
