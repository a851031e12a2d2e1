import { joinRow, NO_VALUE, splitRow } from '../../protocol/row.ts';
import { NO_VERSION } from '../../protocol/version.ts';
import { SyncFault } from '../../shared/fault.ts';
import type { EngineContext } from '../engine-context.ts';
import { keysOf, type QueueEntry } from '../queue/queue-entry.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import { memberOn, touchedPositions, valueIn, versionOf, type HeldImage, type Member } from '../store/rows.ts';
import { assertFinished } from '../queue/assert-finished.ts';
import { editRow, memberBetween } from '../queue/save.ts';
import type { AnswerSettlement } from '../answers/settle-answer.ts';
import type { Fix, FixedMember } from './sync-error.ts';

type Values = FixedMember['values'];

/** What a fix begins from. */
export interface FixInput {
  readonly entry: QueueEntry;
  readonly fix: Fix;
  /** What the sync error showed as online, per member. */
  readonly shown: readonly (HeldImage | null)[];
  readonly bases: ReadonlyMap<Key, HeldImage>;
}

/**
 * The members of a fixed entry (rule A26); later edits of the same records are rebased onto them. Those with nothing left to change fall
 * away.
 *
 * @throws {@link SyncFault} `RECORD_MISSING` for a record that is not of the entry, and what a save may throw for values
 */
export async function planFix(context: EngineContext, settlement: AnswerSettlement, { entry, fix, shown, bases }: FixInput): Promise<Member[]> {
  const { schema, store } = context;
  const values = await fixedValues(context, entry, fix);
  return entry.members.flatMap((old, index) => {
    if (old.next === null) return [old];
    const key = keyOf(old.object, old.id), fixed = values.get(key) ?? {};
    const layout = store.layout(old.object);
    const member = memberOn(layout, old);
    if (member.mask === null) {
      const row = editRow(schema, layout, member.next, fixed);
      assertFinished(schema, layout, row);
      settlement.rebaseLater(key, member, { layout, version: NO_VERSION, state: 'live', row });
      return memberBetween(schema, layout, old.id, null, row, NO_VERSION) ?? [];
    }
    const online = store.rowOf(shown[index]!, old.object);
    const here = store.rowOf(bases.get(key) ?? null, old.object) ?? online ?? joinRow(layout.fields.map(() => NO_VALUE));
    const causes = index === entry.refusal!.member ? entry.refusal!.fields : [];
    const touched = touchedPositions(member), mine = overlay(here, member, 'next');
    // The user saw what is online of the fields that the sync error showed; of all others, what is here.
    const showed = [...touched, ...causes.flatMap((name) => layout.positions.get(name) ?? [])];
    const seen = overlay(here, member, 'previous');
    const before = online === null ? seen : withValues(seen, showed, online);
    const row = editRow(schema, layout, withValues(before, touched, mine), fixed);
    const version = versionOf(shown[index] ?? bases.get(key));
    settlement.rebaseLater(key, { ...member, mask: null, next: mine }, { layout, version, state: 'live', row });
    return memberBetween(schema, layout, old.id, before, row, version) ?? [];
  });
}

async function fixedValues({ records }: EngineContext, entry: QueueEntry, fix: Fix): Promise<Map<Key, Values>> {
  const { object, id } = entry.members[entry.refusal!.member] ?? entry.members[0]!;
  const fixes = Array.isArray(fix) ? (fix as readonly FixedMember[]) : [{ object, id, values: fix as Values }];
  const keys = keysOf(entry), found = new Map<Key, Values>();
  for (const { object: name, id: named, values } of fixes) {
    const key = await records.resolve(name, named);
    if (!keys.includes(key)) throw new SyncFault('RECORD_MISSING', `sync error ${entry.seq} has no ${name} ${named}`, { details: splitKey(key) });
    found.set(key, values);
  }
  return found;
}

/** A row with a member's previous or new values in it. */
function overlay(row: Uint8Array, member: Member, which: 'previous' | 'next'): Uint8Array {
  const values = splitRow(row);
  for (const position of touchedPositions(member)) values[position] = valueIn(member, which, position)!;
  return joinRow(values);
}

/** A row with some values of another. */
function withValues(row: Uint8Array, positions: readonly number[], other: Uint8Array): Uint8Array {
  const values = splitRow(row), others = splitRow(other);
  for (const position of positions) values[position] = others[position]!;
  return joinRow(values);
}
