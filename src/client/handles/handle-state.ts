import type { Layout } from '../../protocol/layout.ts';
import { joinRow, mapRow, splitRow } from '../../protocol/row.ts';
import type { Schema } from '../../protocol/schema.ts';
import { bytesEqual } from '../../shared/bytes.ts';
import type { ClientRules } from '../rules.ts';
import type { SavedMember } from '../drafts/draft-rows.ts';
import type { QueueEntry } from '../queue/queue-entry.ts';
import { keyOf, type Key } from '../store/record-key.ts';
import { fieldsIn, type HeldImage } from '../store/rows.ts';
import type { NewerVersion } from './handle.ts';

/** What a handle shows of its record, and which of the user's own changes are in that. */
export interface Shown {
  /** In the layout of this build. */
  readonly row: Uint8Array;
  /** The user's changes of the record that waited or were refused when it was shown. */
  readonly entries: readonly QueueEntry[];
}

/** A record as it is now, and what has come of the user's saves of it since the handle last looked. */
export interface RecordNow {
  readonly key: Key;
  /** As the user sees it elsewhere; `null` when it is gone. */
  readonly row: Uint8Array | null;
  readonly entries: readonly QueueEntry[];
  /** Own saves of the record that the server has taken, oldest first. */
  readonly saved: readonly SavedMember[];
  /** @defaultValue what an answer says of other fields than those of its save is not shown */
  readonly showsAnswer?: ClientRules['showsAnswer'];
}

/**
 * Rules A27, A36: what a handle shows next. A field in a change of the user's own that waits is what the user made of it; one that an own
 * save sent, and what only the server writes, is what the server made of that save; one in a change that left another way is what the
 * record holds without it. All others stay as they are under the person's eyes, whatever the record holds by now.
 */
export function shownAfter(schema: Schema, layout: Layout, shown: Shown, { key, row, entries, saved, showsAnswer = (isOfSave) => isOfSave }: RecordNow): Shown {
  const { fields } = schema.objects[layout.object]!;
  const now = row && splitRow(row);
  const waiting = fieldsOf(entries, key), before = fieldsOf(shown.entries, key);
  const answers = saved.flatMap(({ sent, onto }) => (onto.row === null ? [] : [{ fields: new Set(fieldsIn(sent)), values: splitRow(mapRow(onto.layout, layout, onto.row)) }]));
  const values = splitRow(shown.row).map((value, position) => {
    const { name } = layout.fields[position]!;
    if (waiting.has(name)) return now?.[position] ?? value;
    const isServers = fields[name]!.owner !== 'device';
    const answer = answers.findLast((one) => showsAnswer(isServers || one.fields.has(name)));
    if (answer !== undefined) return answer.values[position]!;
    return before.has(name) ? (now?.[position] ?? value) : value;
  });
  return { row: joinRow(values), entries };
}

/** What there is of a record beside what a handle shows. */
export interface Beside {
  readonly shown: Uint8Array;
  /** The record as it is now; `null` when it is gone. */
  readonly row: Uint8Array | null;
  /** What it was when the server last said something that was merged. */
  readonly baseState: HeldImage['state'] | undefined;
  /** What waits of the record itself; `null` when nothing newer does. */
  readonly aside: HeldImage['state'] | null;
  /** The group was submitted elsewhere. */
  readonly isSubmitted: boolean;
  /** Something of its group waits. */
  readonly isGroupAside: boolean;
}

/** Rule A36: says what is newer than what a handle shows. */
export function newerThanShown({ shown, row, baseState, aside, isSubmitted, isGroupAside }: Beside): NewerVersion | null {
  if (aside === 'deleted' || aside === 'hidden') return aside;
  if (row === null) return baseState === 'hidden' ? 'hidden' : 'deleted';
  if (isSubmitted) return 'submitted';
  return aside !== null || isGroupAside || !bytesEqual(shown, row) ? 'changed' : null;
}

/** The fields that changes give a record; a delete gives none. */
function fieldsOf(entries: readonly QueueEntry[], key: Key): Set<string> {
  const members = entries.flatMap((entry) => entry.members.filter(({ object, id, op }) => op !== 'remove' && keyOf(object, id) === key));
  return new Set(members.flatMap(fieldsIn));
}
