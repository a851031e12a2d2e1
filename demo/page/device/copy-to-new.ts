import type { DraftInfo } from '../../../src/client/drafts/draft.ts';
import type { JournalMember } from '../../../src/client/queue/journal.ts';
import type { Notice } from '../../../src/client/answers/notices.ts';
import type { SyncClient } from '../../../src/client/sync-client.ts';
import type { ObjectName } from '../../schema.ts';
import { lineKindsOf, submittedAs } from '../crm/groups.ts';
import { FACES, type Values } from '../crm/object-face.ts';

/**
 * Begins a new record as a draft: the one that was submitted elsewhere, with the discarded edits of the journal on top. It is open again,
 * and nothing is sent before the person saves it.
 */
export async function copyToNew(client: SyncClient, { object: name, recordId, entries }: Notice): Promise<Pick<DraftInfo, 'id' | 'object' | 'recordId'>> {
  const object = name as ObjectName;
  const lost = (await Promise.all(entries.map((entry) => client.journal.get(entry)))).flat().flatMap(({ members }) => members);
  const header = await client.objects[object]!.get(recordId);
  const draft = await client.objects[object]!.draft();
  const values = merge(header as Values | null, lost.filter(({ id }) => id === recordId));
  await draft.set(written(object, submittedAs(object, values) === null ? values : { ...values, status: null }));
  for (const { object: child, field } of lineKindsOf(object)) {
    const rows = await client.objects[child]!.query({ where: { [field]: recordId } }).get();
    const edits = lost.filter((member) => member.object === child);
    const ids = new Set([...rows.map(({ id }) => id), ...edits.filter(({ op }) => op === 'create').map(({ id }) => id)]);
    for (const id of ids) {
      const own = edits.filter((edit) => edit.id === id);
      if (own.at(-1)?.op === 'remove') continue;
      await draft.add(child, { ...written(child, merge((rows.find((row) => row.id === id) ?? null) as Values | null, own)), [field]: draft.recordId });
    }
  }
  return draft;
}

function merge(values: Values | null, edits: readonly JournalMember[]): Values {
  return Object.assign({}, values, ...edits.map(({ mine }) => mine)) as Values;
}

/** What a device may write of a record. */
function written(object: ObjectName, values: Values): Values {
  return Object.fromEntries(FACES[object].fields.map((field) => [field, values[field] ?? null]));
}
