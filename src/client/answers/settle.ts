import type { Verdict } from '../../core/core.ts';
import { joinRow, maskPositions, NO_VALUE, splitRow } from '../../protocol/row.ts';
import { keysOf, laneKeysOf, type QueueEntry, type StoredRefusal } from '../queue/queue-entry.ts';
import { keyOf, type Key } from '../store/record-key.ts';
import { fieldsIn, memberOn, onlyFields, valueIn, versionOf, type HeldImage, type Member } from '../store/rows.ts';
import type { ClientRules } from '../rules.ts';
import type { LocalStore } from '../store/local-store.ts';
import { Step } from '../store/step.ts';

/**
 * The client's data as a step leaves it: what the step holds, else what the store holds. Several results of one answer see each
 * other's effect this way, and still land in one commit.
 */
export class Settlement {
  readonly step: Step = new Step();
  readonly #store: LocalStore;
  readonly #rules: ClientRules;
  readonly #bases: ReadonlyMap<Key, HeldImage>;

  /** @param bases - what is held of every record that the step may touch. */
  constructor(store: LocalStore, rules: ClientRules, bases: ReadonlyMap<Key, HeldImage>) {
    this.#store = store;
    this.#rules = rules;
    this.#bases = bases;
  }

  base(key: Key): HeldImage | null {
    return this.step.bases.get(key) ?? this.#bases.get(key) ?? null;
  }

  side(key: Key): HeldImage | null {
    const side = this.step.sides.get(key);
    return side === undefined ? this.#store.side(key) : side;
  }

  entriesOf(key: Key): QueueEntry[] {
    // What took an entry's place may be about other records.
    return this.#store.entriesOf(key).flatMap((entry) => this.#asNow(entry, keysOf, key));
  }

  /** An entry and the later ones of its group, which one record leads. */
  groupFrom(entry: QueueEntry, header: Key, takes: (follower: QueueEntry) => boolean): QueueEntry[] {
    const later = [...this.#store.entries].filter(({ seq }) => seq > entry.seq);
    return [entry, ...later.flatMap((other) => this.#asNow(other, laneKeysOf, header)).filter(takes)];
  }

  /** An entry as the step leaves it, if it is still there and about a record. */
  #asNow(entry: QueueEntry, keysOfIt: (entry: QueueEntry) => Key[], key: Key): QueueEntry[] {
    const now = this.step.entries.get(entry.seq) === undefined ? entry : this.step.entries.get(entry.seq)!;
    return now !== null && keysOfIt(now).includes(key) ? [now] : [];
  }

  /** The server saved an entry: later edits are rebased, the base takes the current image, the entry leaves (rules C3, C5, A27). */
  accept(entry: QueueEntry, committed: ReadonlyMap<Key, HeldImage>, current: ReadonlyMap<Key, HeldImage>, left: QueueEntry | null = null): void {
    this.step.removeEntry(entry);
    for (const member of entry.members) {
      const key = keyOf(member.object, member.id);
      const then = committed.get(key) ?? this.#goneOnline(key, member);
      const now = current.get(key) ?? then;
      this.rebaseLater(key, member, this.#rules.rebaseOnto(then, now));
      this.#mergeIfNewer(key, now);
    }
    if (left !== null) this.step.putEntry(left);
    for (const [key, image] of current) this.offer(key, image);
    for (const key of keysOf(entry)) this.releaseSide(key);
  }

  /** The server saved all fields of an edit but some: those stay in its place as a sync error, and only what was saved counts as sent. */
  acceptPartly(entry: QueueEntry, refusal: StoredRefusal, committed: ReadonlyMap<Key, HeldImage>, current: ReadonlyMap<Key, HeldImage>): void {
    const member = entry.members[0]!;
    const refused = onlyFields(member, (name) => refusal.fields.includes(name));
    const written = this.#rules.rebasesWrittenOnly() ? onlyFields(member, (name) => !refusal.fields.includes(name)) : member;
    // Under no number: this one stands for the whole edit.
    const left: QueueEntry = { ...entry, number: null, state: 'failed', members: [refused], refusal: { ...refusal, isRemainder: true } };
    this.accept({ ...entry, members: [written] }, committed, current, left);
  }

  /** Entries leave the queue without being saved: their records become what is online (rules A23, A24). */
  drop(entries: readonly QueueEntry[], current: ReadonlyMap<Key, HeldImage>): void {
    for (const entry of entries) this.step.removeEntry(entry);
    for (const [key, image] of current) this.offer(key, image);
    for (const key of new Set(entries.flatMap(keysOf))) this.releaseSide(key);
  }

  /** The server refused an entry: it stays in its place as a sync error, and what is online is kept aside (rules A26, C7). */
  refuse(entry: QueueEntry, refusal: StoredRefusal, current: ReadonlyMap<Key, HeldImage> = new Map()): void {
    this.step.putEntry({ ...entry, state: 'failed', refusal });
    for (const [key, image] of current) this.offer(key, image);
  }

  /** Takes an image in where it is safe, else keeps it aside (rules A39, C6, C7). */
  offer(key: Key, image: HeldImage): void {
    if (!this.#rules.isNewer(image.version, versionOf(this.base(key)))) return;
    if (this.#isBusy(key)) this.keepAside(key, image);
    else this.step.putBase(key, image);
  }

  /** Does what was planned for an image of a page (rules A39, C6). */
  follow(verdict: Verdict, key: Key, image: HeldImage): void {
    if (verdict === 'merge') this.step.putBase(key, image);
    else if (verdict === 'discard' || verdict === 'wait' || verdict === 'incomplete') this.keepAside(key, image);
  }

  /** Keeps the newest image of a record that must not be merged into now. */
  keepAside(key: Key, image: HeldImage): void {
    const side = this.side(key);
    if (side !== null && !this.#rules.isNewer(image.version, side.version)) return;
    if (this.#rules.keepsAside(image)) this.step.putSide(key, image);
  }

  /** Takes entries back; records that have none left become what the server last said (rule B13). */
  undo(refused: QueueEntry, dependants: readonly QueueEntry[]): void {
    for (const entry of [refused, ...dependants]) this.step.removeEntry(entry);
    for (const key of new Set([refused, ...dependants].flatMap(keysOf))) {
      if (this.#isBusy(key)) continue;
      const base = this.base(key);
      const image = this.#rules.undoneTo(base, this.side(key), refused);
      if (image !== null && image !== base) this.step.putBase(key, image);
      if (this.side(key) !== null) this.step.sides.set(key, null);
    }
  }

  /** A delete of a record that the server never had, or has no trace of: there is no image, and nothing to keep. */
  #goneOnline(key: Key, member: Member): HeldImage {
    const [epoch, n] = versionOf(this.base(key));
    return { layout: member.layout, version: [epoch, n + 1], state: 'deleted', row: null };
  }

  /** A record that the user has changed, or has open, takes nothing from others. */
  #isBusy(key: Key): boolean {
    return this.entriesOf(key).length > 0 || this.#store.isInUse(key);
  }

  #mergeIfNewer(key: Key, image: HeldImage): void {
    if (this.#rules.isNewer(image.version, versionOf(this.base(key)))) this.step.putBase(key, image);
  }

  /** Rule C7: once a record is clean, what came meanwhile is merged if it is newer than the answer. */
  releaseSide(key: Key, isInUse: boolean = this.#store.isInUse(key)): void {
    const side = this.side(key);
    if (side === null || isInUse || this.entriesOf(key).length > 0) return;
    this.#mergeIfNewer(key, side);
    this.step.sides.set(key, null);
  }

  /**
   * Rule C5: where a later edit began from what the settled entry sent, it now begins from what the server made of it. For each field
   * that is the next edit of it alone: what comes after began from that one, even if the value happens to be the same again.
   */
  rebaseLater(key: Key, sent: Member, onto: HeldImage): void {
    const open = new Set(fieldsIn(sent));
    for (const later of this.entriesOf(key)) {
      const member = later.members.find(({ object, id }) => keyOf(object, id) === key)!;
      const rebased = later.number === null ? this.#rebaseMember(member, sent, onto, open) : member;
      if (rebased !== member) this.step.putEntry({ ...later, members: later.members.map((other) => (other === member ? rebased : other)) });
      for (const field of fieldsIn(member)) open.delete(field);
    }
  }

  #rebaseMember(member: Member, sent: Member, onto: HeldImage, open: ReadonlySet<string>): Member {
    if (member.mask === null || member.previous === null || onto.row === null) return member;
    const before = memberOn(member.layout, sent);
    const values = splitRow(member.previous);
    const ontoRow = splitRow(onto.row);
    let isChanged = false;
    maskPositions(member.mask).forEach((position, index) => {
      const { name, type } = member.layout.fields[position]!;
      const sentValue = open.has(name) ? valueIn(before, 'next', position) : undefined;
      if (sentValue === undefined || !this.#rules.isRebased(values[index]!, sentValue)) return;
      const from = onto.layout.positions.get(name);
      values[index] = from !== undefined && onto.layout.fields[from]!.type === type ? ontoRow[from]! : NO_VALUE;
      isChanged = true;
    });
    return isChanged ? { ...member, previous: joinRow(values), base: onto.version } : member;
  }
}
