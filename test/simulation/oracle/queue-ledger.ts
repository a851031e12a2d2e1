import type { EntryOutcome } from '../../../src/client/queue/outcomes.ts';
import type { QueueEntry } from '../../../src/client/queue/queue-entry.ts';
import { keyOf } from '../../../src/client/store/record-key.ts';
import type { Meta } from '../../../src/client/store/stored.ts';
import { compareVersions } from '../../../src/protocol/version.ts';
import { bytesEqual } from '../../../src/shared/bytes.ts';
import { canCoalesce, MASTERS, type Values } from '../crm.ts';
import type { Held } from './device-mirror.ts';
import { findCopyProblem } from './copies.ts';
import type { DraftedChange } from './draft-ledger.ts';
import { Intents } from './intents.ts';
import { headersAbove } from './submissions.ts';
import { isSame, isSubmitted } from './online-history.ts';
import type { Changes, JournalRow } from './read-commit.ts';
import { createSave, decisionOn, describeMembers, describeSave, heldBackBefore, keysOfSave, lastSending, readMembers, type Decision, type Save, type SavedMember, type Saves } from './saves.ts';
import type { Rule } from './violation.ts';

export interface QueueLedgerOptions {
  readonly device: string;
  readonly user: string;
  readonly saves: Saves;
  readonly meta: () => Meta | null;
  /** What the device shows of a record after the commit that is being taken. */
  readonly view: (key: string) => Values | null;
  /** What was kept aside of a record before the commit, as far as it is newer than what was merged. */
  readonly aside: (key: string) => Pick<Held, 'state' | 'online'> | null;
  /** Whether the commit brings a newer image of a record. */
  readonly hasNewBase: (key: string) => boolean;
  /** Records of an object that the device showed before it. */
  readonly shown: (object: string) => ReadonlySet<string>;
  /** What drafts that end in the commit would save. */
  readonly drafted: () => readonly DraftedChange[];
  readonly fail: (rule: Rule, message: string) => void;
}

interface Queued {
  readonly entry: QueueEntry;
  readonly save: Save;
}

/** What a device showed before a commit. */
export type ViewsBefore = ReadonlyMap<string, { readonly view: Values | null }>;

/** A device's queue as it lies in storage: who came in, what became of it, and that there is no other way out. */
export class QueueLedger {
  readonly intents: Intents = new Intents();
  readonly #options: QueueLedgerOptions;
  readonly #entries = new Map<number, Queued>();
  readonly #byKey = new Map<string, Save[]>();
  /** Records whose view a user's call changed in the commit that is being taken, other than by a new entry. */
  readonly #settledViews = new Set<string>();
  /** Records that a decision about a sync error turned into something else. */
  readonly #resolvedViews = new Set<string>();

  constructor(options: QueueLedgerOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Saves in the queue, refused ones included, in the order of the user's saves. */
  get saves(): readonly Save[] {
    return [...this.#entries.values()].map(({ save }) => save);
  }

  save(seq: number): Save | null {
    return this.#entries.get(seq)?.save ?? null;
  }

  keysOf(seq: number): string[] {
    const save = this.save(seq);
    return save === null ? [] : keysOfSave(save);
  }

  /** Saves of a record that wait, in the order of the user's saves. */
  of(key: string): readonly Save[] {
    return this.#byKey.get(key) ?? [];
  }

  /** The store is gone, with all that was in it. */
  discard(): void {
    for (const { save } of this.#entries.values()) if (save.place === 'queue' || save.place === 'failed') save.place = 'lost-with-store';
  }

  /** Takes the entries of a commit, in the order of saves; answers the saves that left with it. */
  take(changes: Changes, before: ViewsBefore): Save[] {
    this.#settledViews.clear();
    this.#resolvedViews.clear();
    const left: Save[] = [];
    for (const [seq, entry] of [...changes.entries].sort(([one], [other]) => one - other)) {
      const held = this.#entries.get(seq);
      if (held === undefined) {
        if (entry !== null) this.#enter(entry, changes, before);
        continue;
      }
      const isCopied = entry !== null && entry.duplicateOf !== null && held.entry.duplicateOf === null;
      if (entry !== null && !isCopied) this.#change(held, entry, changes);
      else {
        this.#leave(held, changes, isCopied ? seq : (changes.outcomes.get(seq) ?? null));
        left.push(held.save);
      }
      if (isCopied) this.#enterCopy(entry, changes, before);
    }
    for (const save of left) if (save.place === 'discarded') this.#checkFollowers(save);
    for (const { entry, save } of this.#entries.values()) if (left.some(({ seq, wasDraft }) => wasDraft && entry.copied?.entries.includes(seq) === true)) save.wasDraft = true;
    return left;
  }

  /** Rule A24: who was too late with one edit of a group was too late with the later ones. */
  #checkFollowers(dropped: Save): void {
    const follower = this.saves.find(({ seq, headers }) => seq > dropped.seq && headers.some((key) => dropped.headers.includes(key)));
    if (follower !== undefined && dropped.headers.length === 1) this.#fail('submitted', `${describeSave(dropped)} was dropped, and ${describeSave(follower)} still waits`);
  }

  /** Once the commit is taken: what its calls changed on the screen is what they asked for. Answers the records that this settles. */
  checkViews(before: ViewsBefore): ReadonlySet<string> {
    for (const key of this.#settledViews) {
      // What an edit took back gives way to what came in meanwhile.
      if (this.#options.hasNewBase(key) && this.of(key).length === 0) continue;
      const was = before.get(key)?.view ?? null, is = this.#options.view(key);
      if (!this.intents.hasChange(key, was, is, this.#options.drafted())) this.#fail('durable-save', `${key} becomes ${JSON.stringify(is)} of ${JSON.stringify(was)}, which nobody asked for`);
    }
    return new Set([...this.#settledViews, ...this.#resolvedViews]);
  }

  /** Rule A11: a new entry holds what the user saw and entered. */
  #enter(entry: QueueEntry, { meta }: Changes, before: ViewsBefore): void {
    const { device, user, saves } = this.#options;
    const save = createSave(device, user, entry);
    const last = [...this.#entries.keys()].at(-1) ?? 0;
    if (entry.seq <= last || entry.seq < (this.#options.meta()?.nextSeq ?? 1)) this.#fail('fifo', `${describeSave(save)} is queued behind ${last}`);
    if (meta === null || meta.nextSeq <= entry.seq) this.#fail('durable-save', `${describeSave(save)} is queued, and its number can be given again`);
    for (const { key, op, fields } of save.members) {
      if (op === 'create') continue;
      const view = before.get(key)?.view ?? null;
      // A save through a form begins from what the form showed.
      const forms = this.#formsOf(key);
      for (const [field, { previous }] of fields) {
        if (view !== null && isSame(view[field], previous)) continue;
        if (view !== null && forms.some((form) => isSame(form[field], previous))) save.fromForm.add(`${key} ${field}`);
        else this.#fail('content', `${describeSave(save)}: ${field} of ${key} was shown as ${JSON.stringify(view?.[field])}`);
      }
    }
    for (const key of save.headers) {
      const values = before.has(key) ? before.get(key)!.view : this.#options.view(key);
      if (values !== null && isSubmitted({ key, values })) this.#fail('submitted', `${describeSave(save)} is queued, and its user could see that ${key} is submitted`);
    }
    for (const key of headersAbove(save.members, (above) => before.get(above)?.view ?? this.#options.view(above))) {
      if (!save.headers.includes(key)) this.#fail('txn-atomic', `${describeSave(save)} is part of ${key}, and does not name it`);
    }
    if (entry.duplicateOf === null) this.#checkGuards(save, before);
    save.wasDraft = Intents.isDrafted(save.members, this.#options.drafted());
    if (!save.wasDraft && !this.intents.hasSave(save.members)) this.#fail('durable-save', `${describeSave(save)} is queued, and nobody asked for it`);
    saves.add(save);
    this.#put(entry, save);
  }

  /** Rule A37: nothing is queued against what the device knows to be gone, or submitted, online. */
  #checkGuards(save: Save, before: ViewsBefore): void {
    for (const key of new Set([...keysOfSave(save), ...save.headers])) {
      const aside = this.#options.aside(key);
      if (aside === null || save.members.some((member) => member.key === key && member.op === 'create')) continue;
      // Who deletes a record deletes what hangs on it, gone or not.
      if (aside.state !== 'live' && this.#goesAlong(save, key)) continue;
      // A sync error says what is online, and what comes later waits behind it.
      if (this.saves.some((other) => other.place === 'failed' && (other.headers.includes(key) || keysOfSave(other).includes(key)))) continue;
      if (aside.state !== 'live') this.#fail('guards', `${describeSave(save)} is queued, and ${key} is known to be ${aside.state}`);
      const values = before.has(key) ? before.get(key)!.view : this.#options.view(key);
      if (aside.online !== null && isSubmitted(aside.online) && (values === null || !isSubmitted({ key, values }))) this.#fail('guards', `${describeSave(save)} is queued, and ${key} is known to be submitted`);
    }
  }

  /** Whether a save deletes a record because it deletes the one that it hangs on. */
  #goesAlong({ members }: Save, key: string): boolean {
    const member = members.find((one) => one.key === key && one.op === 'remove');
    const master = member && MASTERS[member.object];
    const above = master && member.fields.get(master.field)?.previous;
    return master !== undefined && members.some((one) => one.op === 'remove' && one.key === `${master.target}/${String(above)}`);
  }

  /** What the forms showed that this commit saves. */
  #formsOf(key: string): Values[] {
    const drafted = this.#options.drafted().filter((change) => `${change.object}/${change.id}` === key);
    return [...drafted.map(({ seen }) => seen), ...this.intents.formsOf(key)];
  }

  /** Rule A23: what was to go into a group that is submitted takes its place in the queue as a copy of the group. */
  #enterCopy(entry: QueueEntry, { entries }: Changes, before: ViewsBefore): void {
    const { device, user, saves, shown, view } = this.#options;
    const copy = createSave(device, user, entry);
    for (const seq of entry.copied?.entries ?? []) if (seq !== entry.seq && entries.get(seq) !== null) this.#fail('one-duplicate', `${describeSave(copy)} has what save ${seq} still says`);
    const problem = findCopyProblem(copy, (key) => (before.has(key) ? before.get(key)!.view : view(key)), shown);
    if (problem !== null) this.#fail('one-duplicate', `${describeSave(copy)}: ${problem}`);
    saves.add(copy);
    this.#put(entry, copy);
  }

  #put(entry: QueueEntry, save: Save): void {
    this.#entries.set(entry.seq, { entry, save });
    const inOrder = [...this.#entries].sort(([one], [other]) => one - other);
    if (inOrder.at(-1)![0] !== [...this.#entries.keys()].at(-1)) {
      this.#entries.clear();
      for (const [seq, queued] of inOrder) this.#entries.set(seq, queued);
    }
    for (const key of keysOfSave(save)) this.#byKey.set(key, [...this.of(key), save].sort((one, other) => one.seq - other.seq));
  }

  #change({ entry: was, save }: Queued, entry: QueueEntry, changes: Changes): void {
    const isNumberKept = was.number !== null && was.number === entry.number;
    if (entry.refusal?.isRemainder === true && was.refusal?.isRemainder !== true) this.#keepRemainder(save, was, entry);
    // What was refused follows records to their new ids; its number is over.
    else if (isNumberKept && entry.state === 'failed' && decisionOn(save) === 'refused' && this.intents.has('recreate')) this.#changeWaiting(save, was, entry);
    else if (isNumberKept) this.#checkFrozen(save, was, entry);
    else if (was.number !== null || was.state === 'failed') this.#supersede(save, was, entry, changes);
    else if (!sameChange(was, entry)) this.#changeWaiting(save, was, entry);
    else if (!samePrevious(was, entry)) this.#checkRebased(save, was, entry, changes);
    if (entry.number !== null && !isNumberKept) this.#send(save, entry);
    if (entry.state === 'failed' && was.state !== 'failed') this.#refuse(save, entry);
    else if (entry.state !== 'failed') save.place = 'queue';
    save.headers = entry.headers.map(({ object, id }) => keyOf(object, id));
    this.#entries.set(entry.seq, { entry, save });
  }

  /** Rules C2, C4: from the first send on, number and bytes stay. */
  #checkFrozen(save: Save, was: QueueEntry, entry: QueueEntry): void {
    const isRetried = was.state === 'failed' && entry.state !== 'failed';
    if (isRetried && decisionOn(save) === 'refused') this.#fail('frozen', `${describeSave(save)} is sent again under number ${was.number}, on which it was refused`);
    if (!sameChange(was, entry) || !samePrevious(was, entry)) this.#fail('frozen', `${describeSave(save)} was changed after it was sent as number ${was.number}`);
  }

  /** Rule C5: what was refused of a save is not what later edits begin from. */
  #checkRebased(save: Save, was: QueueEntry, entry: QueueEntry, { entries }: Changes): void {
    for (const left of entries.values()) {
      if (left?.refusal?.isRemainder !== true || left.seq === entry.seq) continue;
      const { key, fields } = readMembers(left)[0]!;
      const [before, after] = [readMembers(was), readMembers(entry)].map((members) => members.find((member) => member.key === key)?.fields);
      for (const name of fields.keys()) if (!isSame(before?.get(name)?.previous, after?.get(name)?.previous)) this.#fail('content', `${describeSave(save)} was rebased in ${name} of ${key}, which was refused`);
    }
  }

  /** What was never sent may change: by a later save, or because a record that it is about got a new id. */
  #changeWaiting(save: Save, was: QueueEntry, entry: QueueEntry): void {
    if (!this.intents.has('recreate', 'restore')) return this.#join(save, was, entry);
    for (const key of keysOfSave(save)) this.#resolvedViews.add(key);
    this.#setContent(save, readMembers(entry));
    for (const key of keysOfSave(save)) this.#resolvedViews.add(key);
  }

  /** Rule C8: a later save joins the record's last entry, as long as nothing of it was sent. */
  #join(save: Save, was: QueueEntry, entry: QueueEntry): void {
    const [member, ...more] = readMembers(entry), [earlier] = save.members;
    if (more.length > 0 || member === undefined || earlier === undefined || !canCoalesce(earlier.object)) return this.#fail('coalescing', `${describeSave(save)} was changed in the queue to ${describeMembers(readMembers(entry))}`);
    if (was.state !== 'queued' || this.of(earlier.key).at(-1) !== save) this.#fail('coalescing', `${describeSave(save)} took in a later save, and is ${was.state === 'queued' ? 'not the last of its record' : was.state}`);
    const before = readMembers(was)[0]!;
    const fields = new Map([...member.fields].map(([name, field]) => [name, { ...field, previous: earlier.fields.get(name)?.previous ?? field.previous }]));
    for (const [name, { previous }] of member.fields) {
      const kept = before.fields.get(name);
      if (member.op === 'update' && kept !== undefined && !isSame(kept.previous, previous)) this.#fail('coalescing', `${describeSave(save)} took in a later save, and forgot what ${name} was before`);
    }
    if (this.#formsOf(member.key).length > 0) for (const name of member.fields.keys()) save.fromForm.add(`${member.key} ${name}`);
    this.#setContent(save, [{ ...member, fields }]);
    this.#settledViews.add(member.key);
  }

  #setContent(save: Save, members: readonly SavedMember[]): void {
    for (const key of keysOfSave(save)) this.#forget(key, save);
    save.members = members;
    save.contents.push(members);
    for (const key of keysOfSave(save)) this.#byKey.set(key, [...this.of(key), save].sort((one, other) => one.seq - other.seq));
  }

  #send(save: Save, entry: QueueEntry): void {
    const other = this.#options.saves.send(save, this.#options.meta()!.store, entry, heldBackBefore(this.saves, save.seq));
    if (other !== null) this.#fail('exactly-once', `${describeSave(save)} is sent under the number of ${describeSave(other.save)}`);
  }

  #refuse(save: Save, { refusal }: QueueEntry): void {
    save.place = 'failed';
    const decision = decisionOn(save);
    const isKnown = decision === 'refused' || refusal?.isOwn === true || (refusal?.isRemainder === true && decision === 'partlySaved');
    if (!isKnown) this.#fail('no-lost-write', `${describeSave(save)} became a sync error, and the server never refused it`);
  }

  /** `keepCleanFields`: what the server saved leaves, and what it refused stays, with what the user entered. */
  #keepRemainder(save: Save, was: QueueEntry, entry: QueueEntry): void {
    const sending = lastSending(save);
    const [before] = readMembers(was), [left] = readMembers(entry);
    const refused = [...left!.fields.keys()].sort().join();
    if (sending?.decision !== 'partlySaved') return this.#fail('no-lost-write', `${describeSave(save)} lost fields, and the server never said that it saved them`);
    if (refused !== [...entry.refusal!.fields].sort().join()) this.#fail('no-lost-write', `of ${describeSave(save)}, ${refused} is left, and ${entry.refusal!.fields.join()} was refused`);
    for (const [name, { next }] of left!.fields) if (!isSame(next, before!.fields.get(name)?.next)) this.#fail('content', `${describeSave(save)} keeps ${name} as ${JSON.stringify(next)}`);
    this.#setContent(save, [{ ...left!, fields: new Map([...left!.fields.keys()].map((name) => [name, save.members[0]!.fields.get(name)!])) }]);
  }

  /** A refused entry is sent again, as it was or as the user made it: under a number of its own. */
  #supersede(save: Save, was: QueueEntry, entry: QueueEntry, { journal }: Changes): void {
    const resolution = this.intents.resolution(entry.seq);
    const decision = decisionOn(save);
    const isFree = decision === 'refused' || decision === 'voided' || decision === 'partlySaved' || was.refusal?.class === 'fate-unknown';
    if (was.state !== 'failed' || !isFree) return this.#fail('frozen', `${describeSave(save)} was sent as number ${was.number}, and gives that up before anything was decided`);
    if (resolution === null) return this.#fail('no-lost-write', `${describeSave(save)} is sent anew, and nobody asked for it`);
    const members = readMembers(entry);
    const hasSameContent = sameChange(was, entry);
    if (!hasSameContent && !journal.some((row) => row.seq === entry.seq && row.reason === 'superseded' && sameChange(row.entry, was))) {
      this.#fail('no-lost-write', `${describeSave(save)} gave way to ${describeMembers(members)}, and the journal does not have it`);
    }
    if (resolution.action === 'retry' && (!hasSameContent || !samePrevious(was, entry))) this.#fail('content', `${describeSave(save)} is sent again as ${describeMembers(members)}`);
    if (resolution.values !== undefined) save.fixes.push(resolution.values);
    if (resolution.action === 'keepMine') this.#checkKept(save, was, entry);
    if (resolution.action === 'retry') return;
    for (const key of keysOfSave(save)) this.#resolvedViews.add(key);
    this.#setContent(save, members);
    for (const key of keysOfSave(save)) this.#resolvedViews.add(key);
  }

  /** "Keep mine" holds what the user entered, and begins from what is online. */
  #checkKept(save: Save, was: QueueEntry, entry: QueueEntry): void {
    const before = readMembers(was), after = readMembers(entry);
    for (const [index, { key, op, fields }] of before.entries()) {
      const kept = after[index];
      if (kept?.key !== key || kept.op !== op) return this.#fail('content', `${describeSave(save)} is kept as ${describeMembers(after)}`);
      for (const [name, { next }] of kept.fields) if (!isSame(next, fields.get(name)?.next)) this.#fail('content', `${describeSave(save)} keeps ${name} of ${key} as ${JSON.stringify(next)}`);
    }
  }

  /** Rule C11: there is no other way out of the queue. */
  #leave({ entry, save }: Queued, { journal }: Changes, outcome: EntryOutcome | number | null): void {
    this.#entries.delete(entry.seq);
    for (const key of keysOfSave(save)) this.#forget(key, save);
    const rows = journal.filter(({ seq }) => seq === entry.seq);
    if (typeof outcome === 'number') {
      save.place = 'duplicated';
      return this.#checkGivenUp(save, entry, 'needsDuplicate');
    }
    switch (outcome?.kind ?? 'saved') {
      case 'undone':
        save.place = 'undone';
        this.#checkJournal(save, entry, rows, 'undone');
        if (!this.intents.has('undo', 'undelete', 'restore')) this.#fail('no-lost-write', `${describeSave(save)} was undone, and nobody asked for it`);
        return this.#checkGivenUp(save, entry, 'voided');
      case 'discarded':
        save.place = 'discarded';
        this.#checkJournal(save, entry, rows, 'discarded');
        return this.#checkGivenUp(save, entry, 'discarded', 'needsDuplicate');
      case 'withdrawn':
        save.place = 'withdrawn';
        return this.#leaveWithdrawn(save, entry);
      case 'partlySaved':
        save.place = 'saved';
        for (const key of keysOfSave(save)) this.#resolvedViews.add(key);
        this.#checkJournal(save, entry, rows, 'undone');
        if (decisionOn(save) !== 'partlySaved' && decisionOn(save) !== 'refused') this.#fail('no-lost-write', `${describeSave(save)} left the queue, and the server never said that it was saved in part`);
        return;
      default:
        save.place = 'saved';
        if (decisionOn(save) !== 'saved') this.#fail('no-lost-write', `${describeSave(save)} left the queue, and the server never said that it was saved`);
    }
  }

  /** What leaves unsaved was refused, or never sent, or its number was given up: nothing of it can still arrive. */
  #checkGivenUp(save: Save, entry: QueueEntry, ...decisions: readonly Decision[]): void {
    const sending = lastSending(save);
    if (sending === null || entry.refusal?.class === 'fate-unknown') return;
    if (sending.isApplied && sending.decision !== 'partlySaved') this.#fail('no-lost-write', `${describeSave(save)} is ${save.place}, and was saved online`);
    if (!['refused', 'partlySaved', 'voided', ...decisions].includes(sending.decision)) this.#fail('no-lost-write', `${describeSave(save)} is ${save.place}, and may still be saved under number ${sending.number}`);
  }

  #checkJournal(save: Save, entry: QueueEntry, rows: readonly JournalRow[], reason: string): void {
    const row = rows.find((found) => found.reason === reason);
    if (row === undefined) this.#fail('no-lost-write', `${describeSave(save)} left the queue as ${reason}, and the journal does not have it`);
    else if (!sameChange(entry, row.entry)) this.#fail('undo', `the journal does not hold what was entered in ${describeSave(save)}`);
  }

  /** A delete took the create with it, or an edit put everything back: nothing is left to send. */
  #leaveWithdrawn(save: Save, entry: QueueEntry): void {
    // Its content is in what the user made of a sync error.
    const { values } = this.intents.resolution(entry.seq) ?? {};
    if (values !== undefined) save.fixes.push(values);
    if (this.intents.has('fix', 'recreate')) return this.#checkGivenUp(save, entry);
    if (entry.number !== null) this.#fail('coalescing', `${describeSave(save)} was withdrawn after it was sent as number ${entry.number}`);
    for (const { key, object } of save.members) {
      if (!canCoalesce(object)) this.#fail('coalescing', `${describeSave(save)} was withdrawn, and takes in no later saves`);
      this.#settledViews.add(key);
    }
  }

  #forget(key: string, save: Save): void {
    const rest = this.of(key).filter((other) => other !== save);
    if (rest.length === 0) this.#byKey.delete(key);
    else this.#byKey.set(key, rest);
  }

  #fail(rule: Rule, message: string): void {
    this.#options.fail(rule, message);
  }
}

/** Whether two entries say the same, whatever was there before. */
export function sameChange(left: QueueEntry, right: QueueEntry): boolean {
  return (
    left.members.length === right.members.length &&
    left.members.every((member, index) => {
      const other = right.members[index]!;
      return keyOf(member.object, member.id) === keyOf(other.object, other.id) && member.op === other.op && sameBytes(member.mask, other.mask) && sameBytes(member.next, other.next);
    })
  );
}

function samePrevious(left: QueueEntry, right: QueueEntry): boolean {
  return left.members.every((member, index) => sameBytes(member.previous, right.members[index]!.previous) && compareVersions(member.base, right.members[index]!.base) === 0);
}

function sameBytes(left: Uint8Array | null, right: Uint8Array | null): boolean {
  return left === null || right === null ? left === right : bytesEqual(left, right);
}
