import { decodeRow } from '../../protocol/row.ts';
import type { AfterCommitContext, CommittedRecord, EntryChange } from '../around-hooks.ts';
import { HookRefusal, type SaveOccasion } from '../save-hooks.ts';
import type { ServerParts } from '../server-parts.ts';
import { withTimeLimit } from '../time-limit.ts';
import { assertSound } from './hook-runner.ts';
import { createRefusal, EntryDelayed, EntryRefused, type EntryRefusal } from './refusal.ts';
import type { SavedRecord } from './save-members.ts';

/** What was decided on a save, for those outside who want to know. */
export interface DecidedSave {
  readonly outcome: AfterCommitContext['outcome'];
  readonly refusal: EntryRefusal | null;
  readonly affected: readonly SavedRecord[];
}

/**
 * Runs the host's `prepare`, outside of any transaction.
 *
 * @throws {@link EntryRefused}; {@link EntryDelayed} when it fails or takes too long.
 */
export async function prepareSave({ prepare, prepareTimeoutMs, clock }: ServerParts, occasion: SaveOccasion, changes: readonly EntryChange[]): Promise<unknown> {
  if (prepare === null) return undefined;
  const answer = await withTimeLimit(clock, prepareTimeoutMs, async () => {
    const given = await prepare({ ...occasion, changes });
    if (!(given instanceof HookRefusal)) return given;
    if (changes[given.member] === undefined) throw new RangeError(`prepare refuses change ${given.member}, and there are ${changes.length}`);
    assertSound(given);
    return given;
  }).catch((cause: unknown) => { throw new EntryDelayed('prepare failed', cause); });
  if (!(answer instanceof HookRefusal)) return answer;
  const { member, message, field, code } = answer;
  throw new EntryRefused(createRefusal('validation', member, message, { fields: field === null ? [] : [field], code }));
}

/** Lets the host's `afterCommit` hear of a decision that stands. Nobody waits for it, and nothing hangs on it. */
export function announceSave(parts: ServerParts, occasion: SaveOccasion, decided: DecidedSave, changes: () => readonly EntryChange[]): void {
  const { afterCommit, afterCommitTimeoutMs, clock, log, runAside } = parts;
  if (afterCommit === null) return;
  const { outcome, refusal, affected } = decided;
  const announcing = Promise.resolve()
    .then(() => withTimeLimit(clock, afterCommitTimeoutMs, () => afterCommit({ ...occasion, outcome, refusal, changes: changes(), records: affected.map(committedRecord) })))
    .then(
      () => {},
      (cause: unknown) => log({ level: 'error', event: 'hook:failed', message: 'afterCommit failed', cause }),
    );
  runAside(announcing);
}

function committedRecord({ object, id, type, version, row, isLive }: SavedRecord): CommittedRecord {
  return { object, id, version, values: isLive ? decodeRow(type.layout, row) : null };
}
