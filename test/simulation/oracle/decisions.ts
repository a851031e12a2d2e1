import type { EntryResult, Refusal } from '../../../src/protocol/messages.ts';
import type { RecordWrite } from '../../../src/server/store/server-store.ts';
import { cityOf, DEVICE_FIELDS, isChecked, keepsCleanFields, rewriteNote, submittedOf, type Values } from '../crm.ts';
import type { DeviceMirror } from './device-mirror.ts';
import { isSame, type OnlineHistory, type OnlineVersion } from './online-history.ts';
import { applyMember, decisionOn, describeSave, isApplied, laneKeysOfSave, referencesOf, type Save, type SavedMember, type Saves, type Sending } from './saves.ts';
import { submissionOf, verdictOn } from './submissions.ts';
import type { Rule } from './violation.ts';

export interface DecisionsOptions {
  readonly history: OnlineHistory;
  readonly saves: Saves;
  readonly mirror: (device: string) => DeviceMirror;
  readonly fail: (rule: Rule, message: string) => void;
}

type WrittenRecord = Pick<OnlineVersion, 'key' | 'isDeleted' | 'values'>;

/** Judges what the server decides on an upload, at the moment of its commit: against what is online then, and what its user saw. */
export class Decisions {
  readonly #options: DecisionsOptions;
  /** Copies of submitted records, by original, submission and store (rule A23). */
  readonly #copies = new Map<string, Sending>();

  constructor(options: DecisionsOptions) {
    this.#options = options;
  }

  /** Takes a transaction that is about an upload: the receipts and records that it commits. */
  take(sending: Sending, results: readonly EntryResult[], records: readonly RecordWrite[]): void {
    for (const result of results) this.#decide(sending, result, records);
    if (records.length > 0) this.#checkApplied(sending, results[0] ?? null, records);
  }

  /** A receipt stands: from now on, this is what became of the entry. */
  #decide(sending: Sending, result: EntryResult, records: readonly RecordWrite[]): void {
    const { save } = sending;
    if (result.outcome === 'tryLater' || result.outcome === 'copied') return this.#fail('exactly-once', `${describeSave(save)} has a receipt that decides nothing`);
    if (sending.decision !== 'open') return this.#fail('exactly-once', `${describeSave(save)} was ${sending.decision}, and was decided again: ${result.outcome}`);
    sending.decision = result.outcome;
    const verdict = sending.duplicateOf === null ? verdictOn(this.#options.history, sending) : null;
    switch (result.outcome) {
      case 'saved':
      case 'partlySaved': {
        const refused = result.outcome === 'partlySaved' ? result.refusal.fields : [];
        if (result.outcome === 'partlySaved') this.#checkRemainder(sending, result.refusal);
        if (verdict !== null && records.length > 0) this.#fail('submitted', `${describeSave(save)} was saved in a group that is submitted`);
        for (const member of sending.members) if (!records.some(({ object, id }) => `${object}/${id}` === member.key)) this.#checkNothingToDo(sending, member, refused);
        return;
      }
      case 'refused':
        this.#checkUnwritten(sending, records, `refused (${result.refusal.message})`);
        if (result.refusal.class === 'locked' && verdict?.has('refused') !== true) this.#fail('submitted', `${describeSave(save)} was refused as locked, and what is known of its group says ${describeVerdict(verdict)}`);
        return this.#checkRefused(sending, result.refusal);
      case 'discarded':
      case 'needsDuplicate':
        this.#checkUnwritten(sending, records, result.outcome);
        if (verdict?.has(result.outcome) !== true) this.#fail('submitted', `${describeSave(save)} was ${result.outcome}, and what is known of its group says ${describeVerdict(verdict)}`);
        return;
      case 'voided':
        return this.#checkUnwritten(sending, records, 'given up');
    }
  }

  #checkUnwritten({ save, isApplied: wasApplied }: Sending, records: readonly RecordWrite[], what: string): void {
    if (wasApplied || records.length > 0) this.#fail('exactly-once', `${describeSave(save)} was saved online, and then ${what}`);
  }

  /** `keepCleanFields`: what was refused is in conflict, and nothing else was left out. */
  #checkRemainder({ save, members: [member, ...more] }: Sending, { class: reason, fields }: Refusal): void {
    if (more.length > 0 || !keepsCleanFields(member!.object) || member!.op !== 'update') return this.#fail('content', `${describeSave(save)} was saved in part`);
    const current = this.#options.history.current(member!.key);
    const inConflict = [...member!.fields].filter(([name, { previous, next }]) => !isSame(current?.values[name], previous) && !isSame(current?.values[name], next)).map(([name]) => name);
    if (reason === 'conflict' && inConflict.sort().join() !== [...fields].sort().join()) this.#fail('content', `of ${describeSave(save)}, ${fields.join()} was refused, and ${inConflict.join()} is in conflict`);
  }

  /** A member that was saved without a write: the record must have been so already. */
  #checkNothingToDo({ save }: Sending, { key, object, op, fields }: SavedMember, refused: readonly string[]): void {
    const current = this.#options.history.current(key);
    const isLive = current !== null && !current.isDeleted;
    const isSo = op === 'remove' ? !isLive : isLive && [...fields].every(([field, { next }]) => refused.includes(field) || isSame(current.values[field], next) || !DEVICE_FIELDS[object]!.includes(field));
    if (!isSo) this.#fail('txn-atomic', `${describeSave(save)} was answered as saved, and online ${key} is ${JSON.stringify(current?.values)}`);
  }

  /** Rule C5: the values in the way must be somebody else's. */
  #checkRefused(sending: Sending, { class: reason, fields, member: index }: Refusal): void {
    if (reason !== 'conflict' && reason !== 'delete-vs-edit') return;
    const { save } = sending;
    const current = this.#options.history.current(sending.members[index]!.key);
    for (const field of fields) {
      const writer = current?.writers[field];
      if (writer === undefined || writer === 'online' || writer.store !== sending.store) continue;
      // A form that was opened before the user's own earlier save never showed it.
      if (save.fromForm.has(`${sending.members[index]!.key} ${field}`)) continue;
      const earlier = this.#options.saves.sentAs(writer.store, writer.number);
      // What a trigger did to a field that the earlier save did not touch is a conflict indeed.
      const touched = earlier?.members.find(({ key }) => key === sending.members[index]!.key)?.fields.has(field) === true;
      if (touched) this.#fail('self-conflict', `${describeSave(save)} was refused because of ${field}, which ${describeSave(earlier!.save)} had set`);
    }
  }

  #checkApplied(sending: Sending, result: EntryResult | null, records: readonly RecordWrite[]): void {
    const { save } = sending;
    if (sending.isApplied) this.#fail('exactly-once', `${describeSave(save)} was saved twice`);
    if (save.sendings.some((other) => other !== sending && other.isApplied && other.decision !== 'partlySaved')) this.#fail('exactly-once', `${describeSave(save)} was saved under two numbers`);
    if (save.place === 'undone' && !isApplied(save)) this.#fail('no-lost-write', `${describeSave(save)} was undone, and then saved`);
    sending.isApplied = true;
    this.#checkOrder(sending);
    if (sending.duplicateOf !== null) this.#checkCopy(sending, sending.duplicateOf);
    const refused = result?.outcome === 'partlySaved' ? result.refusal.fields : [];
    for (const record of records) {
      const key = `${record.object}/${record.id}`;
      const before = this.#options.history.current(key);
      const after = { key, isDeleted: record.isDeleted, values: this.#options.history.read(record) };
      const member = sending.members.find((candidate) => candidate.key === key);
      if (member === undefined) this.#checkBystander(save, before, after);
      else this.#checkWritten(sending, member, before, after, refused);
    }
    sending.overwritten = this.#findOverwritten(sending);
  }

  /** Rule A23: one copy of each submitted record for each store, and the original stays as it is. */
  #checkCopy(sending: Sending, original: string): void {
    const { save } = sending;
    const name = `${original} ${String(submissionOf(this.#options.history, original)?.version)} ${sending.store}`;
    // A draft that was open while the first copy was made becomes a copy of its own.
    if (this.#copies.has(name) && !save.wasDraft) this.#fail('one-duplicate', `${describeSave(save)} is a second copy of ${original}, after ${describeSave(this.#copies.get(name)!.save)}`);
    this.#copies.set(name, sending);
    if (sending.members.some(({ op }) => op !== 'create')) this.#fail('one-duplicate', `${describeSave(save)} is a copy, and changes records that are there`);
  }

  /** A record besides those saved: only what the server itself computes may change. */
  #checkBystander(save: Save, before: OnlineVersion | null, after: WrittenRecord): void {
    const object = after.key.slice(0, after.key.indexOf('/'));
    for (const field of DEVICE_FIELDS[object]!) {
      if (before === null || before.isDeleted !== after.isDeleted || !isSame(before.values[field], after.values[field])) this.#fail('content', `${describeSave(save)} changed ${field} of ${after.key}`);
    }
  }

  #checkWritten(sending: Sending, member: SavedMember, before: OnlineVersion | null, after: WrittenRecord, refused: readonly string[]): void {
    const { save } = sending;
    if (after.isDeleted !== (member.op === 'remove')) this.#fail('content', `${describeSave(save)} left ${member.key} ${after.isDeleted ? 'deleted' : 'live'}`);
    const wasLive = before !== null && !before.isDeleted;
    if (member.op !== 'create' && !wasLive) this.#fail('content', `${describeSave(save)} was saved on ${member.key}, which did not exist`);
    if (member.op === 'create' && wasLive) this.#fail('exactly-once', `${describeSave(save)} was saved over ${member.key}, which exists`);
    const old = wasLive ? before.values : {};
    const expected = expectedValues(sending, member, old, refused);
    for (const field of DEVICE_FIELDS[member.object]!) {
      const [was, is] = [old[field] ?? null, after.values[field] ?? null];
      if (member.op !== 'remove' && !isSame(is, expected[field])) this.#fail('content', `${describeSave(save)} made ${field} of ${member.key} ${JSON.stringify(is)} of ${JSON.stringify(was)}`);
      const isReplaced = member.op === 'remove' || (member.op === 'update' && member.fields.has(field) && !isSame(was, is));
      if (isReplaced && wasLive && isChecked(member.object)) this.#checkSeen(sending, member.key, field, before);
    }
  }

  /** Rule A19: a value may be replaced by whoever saw it, and by whoever made it. */
  #checkSeen(sending: Sending, key: string, field: string, before: OnlineVersion): void {
    const value = before.values[field] ?? null;
    // What its user saw, at this save or at one of those that it took in.
    const seen = sending.save.contents.flatMap((members) => members.find((member) => member.key === key)?.fields.get(field) ?? []);
    if (seen.length === 0 || seen.some(({ previous, next }) => isSame(value, previous) || isSame(value, next))) return;
    const writer = before.writers[field];
    const earlier = writer === undefined || writer === 'online' ? null : this.#options.saves.sentAs(writer.store, writer.number);
    if (earlier?.store === sending.store && earlier.members.some((member) => member.key === key && member.fields.has(field))) return;
    // Who fixed a sync error with what was online has seen it.
    const { device } = sending.save;
    if (this.#options.saves.all.some((save) => save.device === device && save.fixes.some((values) => isSame(values[field], value)))) return;
    this.#fail('silent-overwrite', `${describeSave(sending.save)} replaced ${field} ${JSON.stringify(value)} of ${key}, which its user never saw`);
  }

  /** Rule A22: what a save of override objects replaces and its user had not seen. */
  #findOverwritten({ members }: Sending): ReadonlyMap<string, readonly string[]> {
    const found = new Map<string, string[]>();
    for (const { key, object, op, fields } of members) {
      const current = this.#options.history.current(key);
      if (isChecked(object) || op === 'create' || current === null || current.isDeleted) continue;
      const names = [...fields].filter(([name, { previous, next }]) => !isSame(current.values[name], previous) && (op === 'remove' || !isSame(current.values[name], next))).map(([name]) => name);
      if (names.length > 0) found.set(key, names.sort());
    }
    return found;
  }

  /** Rule A17: everything that the user saved before is settled, or may be overtaken. */
  #checkOrder(sending: Sending): void {
    const { save } = sending;
    const mirror = this.#options.mirror(save.device);
    if (mirror.meta?.store !== sending.store) return; // Its store is gone; what was on its way still arrives.
    const held = new Map<string, Save>();
    const isHeldBack = (later: Save): boolean => laneKeysOfSave(later).some((key) => held.has(key)) || referencesOf(later).some((key) => held.has(`+${key}`));
    for (const earlier of mirror.queue.saves) {
      if (earlier.seq >= save.seq) break;
      const wasDeferred = earlier.sendings.some((other) => other.wasDeferred);
      // One that was deferred may have been saved by a late copy of its request: its device does not know, and still holds what follows.
      if (earlier.place !== 'failed' && (isDecided(earlier) || isApplied(earlier)) && !wasDeferred) continue;
      const mayWait = earlier.sendings.some(({ decision }) => decision !== 'open') || earlier.place === 'failed' || wasDeferred || isHeldBack(earlier) || sending.overtook.has(earlier);
      if (!mayWait) return this.#fail('fifo', `${describeSave(save)} was saved before ${describeSave(earlier)}`);
      for (const key of laneKeysOfSave(earlier)) held.set(key, earlier);
      for (const { op, key } of earlier.members) if (op === 'create') held.set(`+${key}`, earlier);
    }
    if (!isHeldBack(save)) return;
    const first = [...laneKeysOfSave(save), ...referencesOf(save).map((key) => `+${key}`)].find((key) => held.has(key))!;
    this.#fail('fifo', `${describeSave(save)} was saved although it depends by ${first} on ${describeSave(held.get(first)!)}, which is not`);
  }

  #fail(rule: Rule, message: string): void {
    this.#options.fail(rule, message);
  }
}

/** Decided for good: nothing of it waits any more, whether or not its device knows. */
function isDecided(save: Save): boolean {
  const decision = decisionOn(save);
  return decision === 'saved' || decision === 'partlySaved' || decision === 'discarded' || decision === 'needsDuplicate';
}

function describeVerdict(verdict: ReadonlySet<string> | null): string {
  return verdict === null ? 'that it is not submitted' : [...verdict].join(' or ');
}

/** What a save makes of a record, triggers included. */
function expectedValues({ duplicateOf }: Sending, member: SavedMember, old: Values, refused: readonly string[]): Values {
  const fields = new Map([...member.fields].filter(([name]) => !refused.includes(name)));
  const values = applyMember(old, { ...member, fields }) ?? {};
  const submitted = submittedOf(member.object);
  if (duplicateOf !== null && submitted?.values.includes(values[submitted.field] as string) === true) return { ...values, [submitted.field]: submitted.reopenAs ?? null };
  if (member.object !== 'account') return values;
  return {
    ...values,
    ...(isSame(values.note, old.note) ? {} : { note: rewriteNote(values.note ?? null) }),
    ...(isSame(values.revenue, old.revenue) ? {} : { city: cityOf(values.revenue ?? null) }),
  };
}

/** The records that a save's new values name. */

