import { createMask, joinRow, maskPositions, NO_VALUE, setInMask, splitRow, valueAt } from '../../protocol/row.ts';
import { laneKeysOf, type QueueEntry, type StoredRefusal } from '../queue/queue-entry.ts';
import { NO_VERSION } from '../../protocol/version.ts';
import { keyOf, type Key } from '../store/record-key.ts';
import { fieldsIn, memberOn, touchedPositions, valueIn, versionOf, type HeldImage, type Member } from '../store/rows.ts';
import { Settlement } from './settle.ts';

/** What answers of the server change. */
export class AnswerSettlement extends Settlement {
  /** The newest images that came in beside those of the entries' own records: taken in group by group, where it is safe. */
  readonly offered: Map<Key, HeldImage> = new Map();
  /** Those of them that came without the rest of their groups, which nobody saved. */
  readonly alone: Set<Key> = new Set();

  /** An entry and the later ones of its group, which one record leads. */
  groupFrom(entry: QueueEntry, header: Key, takes: (follower: QueueEntry) => boolean): QueueEntry[] {
    const later = [...this.store.entries].filter(({ seq }) => seq > entry.seq);
    return [entry, ...later.flatMap((other) => this.asNow(other, laneKeysOf, header)).filter(takes)];
  }

  /** The server saved an entry: later edits are rebased, the base takes the current image, the entry leaves (rules C3, C5, A27). */
  accept(entry: QueueEntry, committed: ReadonlyMap<Key, HeldImage>, current: ReadonlyMap<Key, HeldImage>, left: QueueEntry | null = null): void {
    this.remove(entry);
    for (const member of entry.members) {
      const key = keyOf(member.object, member.id);
      const then = committed.get(key) ?? this.#goneOnline(key, member);
      const now = current.get(key) ?? then;
      this.rebaseLater(key, member, this.rules.rebaseOnto(then, now));
      this.#mergeIfNewer(key, now);
    }
    if (left !== null) this.step.putEntry(left);
    this.#offerSettled([entry], current);
  }

  /** The server saved all fields of an edit but some: those stay in its place as a sync error, and only what was saved counts as sent. */
  acceptPartly(entry: QueueEntry, refusal: StoredRefusal, committed: ReadonlyMap<Key, HeldImage>, current: ReadonlyMap<Key, HeldImage>): void {
    const member = entry.members[0]!;
    const refused = onlyFields(member, (name) => refusal.fields.includes(name));
    const written = this.rules.rebasesWrittenOnly() ? onlyFields(member, (name) => !refusal.fields.includes(name)) : member;
    // Under no number: this one stands for the whole edit.
    const left: QueueEntry = { ...entry, number: null, state: 'failed', members: [refused], refusal: { ...refusal, isRemainder: true } };
    this.accept({ ...entry, members: [written] }, committed, current, left);
  }

  /** Entries leave the queue without being saved: their records become what is online (rules A23, A24). */
  drop(entries: readonly QueueEntry[], current: ReadonlyMap<Key, HeldImage>): void {
    for (const entry of entries) this.remove(entry);
    this.#offerSettled(entries, current);
  }

  /** The server refused an entry: it stays in its place as a sync error, and what is online is kept aside (rules A26, C7). */
  refuse(entry: QueueEntry, refusal: StoredRefusal, current: ReadonlyMap<Key, HeldImage> = new Map()): void {
    this.step.putEntry({ ...entry, state: 'failed', refusal });
    for (const [key, image] of current) this.#offerAlone(key, image);
  }

  /** What the server says of a record, to be taken in where it is safe, else kept aside (rules A39, C6, C7). */
  offer(key: Key, image: HeldImage): void {
    const other = this.offered.get(key);
    if (other === undefined || this.rules.isNewer(image.version, other.version)) this.offered.set(key, image);
  }

  /** Of the groups that were saved or given up, an answer says enough; of any other it has single records. */
  #offerSettled(entries: readonly QueueEntry[], current: ReadonlyMap<Key, HeldImage>): void {
    const own = new Set(entries.flatMap(laneKeysOf));
    for (const [key, image] of current) {
      if (!own.has(key)) {
        this.#offerAlone(key, image);
        continue;
      }
      if (!this.rules.isNewer(this.offered.get(key)?.version ?? NO_VERSION, image.version)) this.alone.delete(key);
      this.offer(key, image);
    }
  }

  #offerAlone(key: Key, image: HeldImage): void {
    const other = this.offered.get(key);
    if (other === undefined || this.rules.isNewer(image.version, other.version)) this.alone.add(key);
    this.offer(key, image);
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
      if (sentValue === undefined || !this.rules.isRebased(values[index]!, sentValue)) return;
      const from = onto.layout.positions.get(name);
      values[index] = from !== undefined && onto.layout.fields[from]!.type === type ? ontoRow[from]! : NO_VALUE;
      isChanged = true;
    });
    return isChanged ? { ...member, previous: joinRow(values), base: onto.version } : member;
  }

  /** A delete of a record that the server never had, or has no trace of: there is no image, and nothing to keep. */
  #goneOnline(key: Key, member: Member): HeldImage {
    const [epoch, n] = versionOf(this.base(key));
    return { layout: member.layout, version: [epoch, n + 1], state: 'deleted', row: null };
  }

  #mergeIfNewer(key: Key, image: HeldImage): void {
    if (this.rules.isNewer(image.version, versionOf(this.base(key)))) this.step.putBase(key, image);
  }
}

/** An edit reduced to some of its fields. */
export function onlyFields(member: Member, takes: (field: string) => boolean): Member {
  const { layout, previous, next } = member;
  const mask = createMask(layout);
  const places = touchedPositions(member).flatMap((position, index) => {
    if (!takes(layout.fields[position]!.name)) return [];
    setInMask(mask, position);
    return [index];
  });
  const pick = (values: Uint8Array | null): Uint8Array | null => values && joinRow(places.map((place) => valueAt(values, place)));
  return { ...member, mask, previous: pick(previous), next: pick(next) };
}
