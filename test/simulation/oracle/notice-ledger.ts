import type { Notice } from '../../../src/client/answers/notices.ts';
import type { Changes } from './read-commit.ts';
import { describeSave, lastSending, type Save } from './saves.ts';
import type { Rule } from './violation.ts';

export interface NoticeLedgerOptions {
  readonly device: string;
  readonly fail: (rule: Rule, message: string) => void;
}

/** A device's notices as they lie in storage: each thing that the user must be told is told once, in the commit that makes it true. */
export class NoticeLedger {
  readonly #options: NoticeLedgerOptions;
  readonly #held = new Map<number, Notice>();

  constructor(options: NoticeLedgerOptions) {
    this.#options = options;
  }

  get held(): ReadonlyMap<number, Notice> {
    return this.#held;
  }

  /**
   * Takes the notices of a commit, with the saves that left the queue in it.
   *
   * @param wasRemoved - whether the server took a record away from this user as it saved it
   */
  take({ notices, outcomes }: Changes, left: readonly Save[], wasRemoved: (save: Save, key: string) => boolean): void {
    const raised = new Map<number, Notice>();
    for (const [id, notice] of notices) {
      const before = this.#held.get(id);
      if (notice === null) this.#drop(before);
      else if (before === undefined) raised.set(id, notice);
      else if (!isRead(before, notice)) this.#options.fail('notices', `notice ${id} (${before.kind}) became ${JSON.stringify(notice)}`);
      if (notice === null) this.#held.delete(id);
      else this.#held.set(id, notice);
    }
    for (const save of left) {
      const outcome = outcomes.get(save.seq) ?? null;
      if (save.place === 'discarded') this.#expect(raised, save, 'discarded', (notice) => typeof outcome === 'object' && outcome?.kind === 'discarded' && outcome.notice === notice.id);
      if (save.place !== 'saved') continue;
      if (save.duplicateOf !== null) this.#expect(raised, save, 'duplicated', ({ object, recordId }) => `${object}/${recordId}` === save.duplicateOf);
      this.#checkOverwritten(raised, save);
      for (const { key, op } of save.members) {
        if (op !== 'remove' && wasRemoved(save, key)) this.#expect(raised, save, 'removed', ({ object, recordId }) => `${object}/${recordId}` === key);
      }
    }
    for (const { id, kind, entries } of raised.values()) {
      if (!left.some(({ seq, place }) => entries.includes(seq) && (place === 'discarded' ? kind === 'discarded' : kind !== 'discarded'))) this.#options.fail('notices', `notice ${id} says ${kind} of ${entries.join()}, which is not so`);
    }
  }

  #checkOverwritten(raised: ReadonlyMap<number, Notice>, save: Save): void {
    const expected = [...(lastSending(save)?.overwritten ?? [])].flatMap(([key, fields]) => fields.map((field) => `${key}.${field}`)).sort();
    const told = [...raised.values()].filter((notice) => notice.kind === 'overwritten' && notice.entries.includes(save.seq)).flatMap((notice) => (notice.kind === 'overwritten' ? notice.fields.map(({ object, id, field }) => `${object}/${id}.${field}`) : [])).sort();
    if (expected.join() !== told.join()) this.#options.fail('overwritten-listed', `${describeSave(save)} replaced ${expected.join() || 'nothing unseen'}, and its notice says ${told.join() || 'nothing'}`);
  }

  #expect(raised: ReadonlyMap<number, Notice>, save: Save, kind: Notice['kind'], isAbout: (notice: Notice) => boolean): void {
    const found = [...raised.values()].filter((notice) => notice.kind === kind && notice.entries.includes(save.seq) && isAbout(notice));
    if (found.length !== 1) this.#options.fail('notices', `${describeSave(save)} is ${save.place}, and ${found.length} notices say "${kind}"`);
  }

  #drop(notice: Notice | undefined): void {
    if (notice !== undefined && notice.kind !== 'overwritten' && notice.acknowledgedAt === null) this.#options.fail('notices', `notice ${notice.id} (${notice.kind}) went, and nobody has read it`);
  }
}

function isRead(before: Notice, after: Notice): boolean {
  return before.acknowledgedAt === null && after.acknowledgedAt !== null && JSON.stringify({ ...before, acknowledgedAt: null }) === JSON.stringify({ ...after, acknowledgedAt: null });
}
