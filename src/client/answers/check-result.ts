import type { EntryResult, Refusal } from '../../protocol/messages.ts';
import type { QueueEntry } from '../queue/queue-entry.ts';
import { keyOf, type Key } from '../store/record-key.ts';
import { touchedPositions, type Member } from '../store/rows.ts';
import { badAnswer, type AnswerImages } from '../network/server-link.ts';

/** A result must say everything that settling needs, and nothing about what was not asked, or nothing of the answer counts. */
export function checkResult(result: EntryResult, entry: QueueEntry, images: AnswerImages): void {
  if ('current' in result) images.byKey(result.current);
  switch (result.outcome) {
    case 'saved':
      checkCommitted(result.committed, entry, images);
      for (const { member, fields, was } of result.overwritten) {
        const [key] = images.byKey([was]).keys();
        const overwritten = entry.members[member];
        if (overwritten === undefined || key !== nameOf(overwritten)) throw badAnswer('it overwrote a record that was not sent');
        if (!fields.every((field) => fieldsOf(overwritten).includes(field))) throw badAnswer('it overwrote fields that were not sent');
      }
      return;
    case 'partlySaved': {
      checkRefusal(result.refusal, entry, images);
      checkCommitted(result.committed, entry, images);
      const [member, ...others] = entry.members;
      const { fields } = result.refusal;
      const sent = fieldsOf(member!);
      const isPart = fields.every((field) => sent.includes(field)) && sent.some((field) => !fields.includes(field)) && fields.length > 0;
      if (member!.op !== 'update' || others.length > 0 || !isPart) throw badAnswer('it divides a change that cannot be divided so');
      return;
    }
    case 'refused':
      return checkRefusal(result.refusal, entry, images);
    case 'discarded':
    case 'needsDuplicate': {
      const header = entry.headers[result.header];
      if (header === undefined || entry.duplicateOf !== null) throw badAnswer('it sets a change aside for a record that leads none of it');
      if (!images.byKey(result.current).has(nameOf(header))) throw badAnswer('it does not hold the record that was submitted');
    }
  }
}

function checkCommitted(committed: readonly number[], entry: QueueEntry, images: AnswerImages): void {
  const saved = images.byKey(committed);
  if (entry.members.some((member) => member.op !== 'remove' && !saved.has(nameOf(member)))) throw badAnswer('it does not hold the records that it saved');
}

function checkRefusal({ member, online }: Refusal, entry: QueueEntry, images: AnswerImages): void {
  if (online !== null) images.byKey([online]);
  if (member >= entry.members.length) throw badAnswer('it refuses a record that was not sent');
}

function nameOf({ object, id }: { readonly object: string; readonly id: string }): Key {
  return keyOf(object, id);
}

function fieldsOf(member: Member): string[] {
  return touchedPositions(member).map((position) => member.layout.fields[position]!.name);
}
