import { bytesEqual } from '../../../src/shared/bytes.ts';
import type { Layout } from '../../../src/protocol/layout.ts';
import { compareVersions, NO_VERSION, type RecordVersion } from '../../../src/protocol/version.ts';
import { decodeEnvelope } from '../../../src/protocol/envelope.ts';
import type { QueueEntry } from '../../../src/client/queue-entry.ts';
import { keysOf } from '../../../src/client/queue-entry.ts';
import { keyOf } from '../../../src/client/record-key.ts';
import type { HeldImage } from '../../../src/client/rows.ts';
import { decodeEntry, decodeImage, decodeLayout, decodeMeta, STATE, type Meta } from '../../../src/client/stored.ts';
import type { Commit } from '../../../src/storage/storage-adapter.ts';
import type { Values } from '../crm.ts';
import { isSame, isTrueRow, isVisible, type OnlineHistory, type OnlineVersion } from './online-history.ts';
import { applySave, createSave, describeSave, type Save, type Saves } from './saves.ts';
import type { Rule } from './violation.ts';

/** A server row that a device holds, found again in the server's history. */
export interface Held {
  readonly version: RecordVersion;
  readonly state: HeldImage['state'];
  /** `null` for what the server never had: the tombstone of a create that was taken back before it was sent. */
  readonly online: OnlineVersion | null;
}

export interface DeviceMirrorOptions {
  readonly name: string;
  readonly user: string;
  readonly history: OnlineHistory;
  readonly saves: Saves;
  /** Positions of this user's feed that are gone for good: a device that missed them can only know that. */
  readonly feedFloor: () => number;
  readonly fail: (rule: Rule, message: string) => void;
}

/** What one commit changes, decoded. */
interface Changes {
  readonly bases: Map<string, HeldImage | null>;
  readonly sides: Map<string, HeldImage | null>;
  readonly entries: Map<number, QueueEntry | null>;
  readonly journal: Map<number, QueueEntry>;
  readonly meta: Meta | null;
}

/**
 * One device's durable data, followed commit by commit, and checked at each: what a crash at this very moment would leave behind must
 * already keep every promise.
 */
export class DeviceMirror {
  readonly #options: DeviceMirrorOptions;
  readonly #layouts = new Map<string, Layout>();
  readonly #bases = new Map<string, Held>();
  readonly #sides = new Map<string, Held>();
  readonly #entries = new Map<number, { readonly entry: QueueEntry; readonly save: Save }>();
  readonly #queued = new Map<string, Save[]>();
  readonly #touchedAt = new Map<string, number>();
  readonly #shown = new Map<string, Set<string>>();
  #meta: Meta | null = null;
  #commits = 0;

  constructor(options: DeviceMirrorOptions) {
    this.#options = options;
  }

  get meta(): Meta | null {
    return this.#meta;
  }

  /** Saves in the queue, refused ones included, in the order of the user's saves. */
  get queue(): readonly Save[] {
    return [...this.#entries.values()].map(({ save }) => save);
  }

  get queueLength(): number {
    return this.#entries.size;
  }

  get sideCount(): number {
    return this.#sides.size;
  }

  save(seq: number): Save | null {
    return this.#entries.get(seq)?.save ?? null;
  }

  base(key: string): Held | null {
    return this.#bases.get(key) ?? null;
  }

  bases(): IterableIterator<[string, Held]> {
    return this.#bases.entries();
  }

  hasQueued(key: string): boolean {
    return this.#queued.has(key);
  }

  /** The record as the device shows it. */
  view(key: string): Values | null {
    return viewOf(this.#bases.get(key) ?? null, this.#queued.get(key) ?? []);
  }

  /** Records of an object that the device shows. */
  shown(object: string): ReadonlySet<string> {
    return this.#shown.get(object) ?? new Set();
  }

  /** Counts all changes. */
  get revision(): number {
    return this.#commits;
  }

  /** Counts the changes of a record, to tell whether a reading and a commit crossed. */
  touches(key: string): number {
    return this.#touchedAt.get(key) ?? 0;
  }

  /** The newest version of a record that the device holds in any form. */
  known(key: string): RecordVersion {
    const base = this.#bases.get(key)?.version ?? NO_VERSION, side = this.#sides.get(key)?.version ?? NO_VERSION;
    return compareVersions(base, side) >= 0 ? base : side;
  }

  /** The store is gone, with all that was in it. */
  discard(): void {
    for (const { save } of this.#entries.values()) if (save.place === 'queue' || save.place === 'failed') save.place = 'lost-with-store';
  }

  /** Takes a commit that has become durable. */
  take(commit: Commit): void {
    const changes = this.#read(commit);
    const isApplyingDownload = this.#meta !== null && this.#meta.download !== null && changes.meta !== null && changes.meta.download === null && changes.meta.lastDownloadAt !== this.#meta.lastDownloadAt;
    const keys = new Set([...changes.bases.keys(), ...changes.sides.keys()]);
    for (const [seq, entry] of changes.entries) for (const key of entry === null ? [this.#entries.get(seq)?.save.key ?? ''] : keysOf(entry)) keys.add(key);
    keys.delete('');
    const before = new Map([...keys].map((key) => [key, { view: this.view(key), known: this.known(key), base: this.base(key), saves: this.#queued.get(key) ?? [] }]));
    for (const [key, image] of changes.bases) this.#takeBase(key, image, isApplyingDownload);
    for (const [key, image] of changes.sides) this.#takeSide(key, image);
    for (const [seq, entry] of changes.entries) this.#takeEntry(seq, entry, changes, before);
    for (const [key, was] of before) {
      this.#checkKnown(key, was.known);
      this.#checkSafety(key, was.base, was.saves);
      this.#checkView(key, was.view, was.base, was.saves, isApplyingDownload);
      this.#noteShown(key);
      this.#touchedAt.set(key, ++this.#commits);
    }
    if (changes.meta !== null) this.#takeMeta(changes.meta, isApplyingDownload);
  }

  #read({ putRecords = [], removeRecords = [], putState = [], removeState = [] }: Commit): Changes {
    const changes: Changes & { meta: Meta | null } = { bases: new Map(), sides: new Map(), entries: new Map(), journal: new Map(), meta: null };
    const layoutOf = (hash: string): Layout => this.#layouts.get(hash)!;
    for (const { key, bytes } of putState) {
      if (!key.startsWith(STATE.layout)) continue;
      const layout = decodeLayout(bytes);
      this.#layouts.set(layout.hash, layout);
    }
    for (const { object, id } of removeRecords) changes.bases.set(keyOf(object, id), null);
    for (const { key, bytes } of putState) {
      if (key.startsWith(STATE.gone)) changes.bases.set(key.slice(STATE.gone.length), decodeImage(bytes, layoutOf));
      else if (key.startsWith(STATE.side)) changes.sides.set(key.slice(STATE.side.length), decodeImage(bytes, layoutOf));
      else if (key.startsWith(STATE.queue)) changes.entries.set(Number(key.slice(STATE.queue.length)), decodeEntry(bytes, layoutOf));
      else if (key === STATE.meta) changes.meta = decodeMeta(bytes);
      else if (key.startsWith(STATE.journal)) {
        const { entry } = decodeEnvelope(bytes) as { readonly entry: Uint8Array };
        changes.journal.set(Number(key.slice(STATE.journal.length).split('/')[0]), decodeEntry(entry, layoutOf));
      }
    }
    for (const { object, id, bytes } of putRecords) changes.bases.set(keyOf(object, id), decodeImage(bytes, layoutOf));
    for (const key of removeState) {
      if (key.startsWith(STATE.side)) changes.sides.set(key.slice(STATE.side.length), null);
      else if (key.startsWith(STATE.queue)) changes.entries.set(Number(key.slice(STATE.queue.length)), null);
    }
    return changes;
  }

  #takeBase(key: string, image: HeldImage | null, isApplyingDownload: boolean): void {
    const before = this.#bases.get(key) ?? null;
    if (image === null) {
      this.#bases.delete(key);
      return;
    }
    const order = compareVersions(image.version, before?.version ?? NO_VERSION);
    const isRemoval = order === 0 && image.state === 'hidden';
    if (order < 0 || (order === 0 && !isApplyingDownload && !isRemoval)) {
      this.#fail('monotonic-version', `${key} goes from version ${String(before?.version)} to ${String(image.version)}`);
    }
    this.#bases.set(key, { version: image.version, state: image.state, online: this.#findOnline(key, image) });
  }

  #takeSide(key: string, image: HeldImage | null): void {
    if (image === null) this.#sides.delete(key);
    else this.#sides.set(key, { version: image.version, state: image.state, online: this.#findOnline(key, image) });
  }

  /** Finds an image in the server's history: only what really was may be held, and only what this user may see. */
  #findOnline(key: string, { version, state, row }: HeldImage): Held['online'] {
    const { history, user } = this.#options;
    const online = history.at(key, version);
    if (online === null) {
      if (state !== 'deleted' || history.current(key) !== null) this.#fail('true-images', `${key} at version ${String(version)} never was online`);
      return null;
    }
    const isForUser = isVisible(key, online.values, user);
    if (state === 'live' && !isForUser) this.#fail('isolation', `${key} at version ${String(version)} is not for ${user}`);
    if (state === 'live' && (online.isDeleted || !isTrueRow(online, row))) this.#fail('true-images', `${key} at version ${String(version)} was other than what is held`);
    if (state === 'deleted' && !online.isDeleted) this.#fail('true-images', `${key} at version ${String(version)} was not deleted`);
    // A download that leaves a record out says that it is gone, not at which version it went.
    if (state === 'hidden' && isForUser && !history.wasGone(key, version, user)) this.#fail('true-images', `${key} is held as gone, and has been there for ${user} since version ${String(version)}`);
    return online;
  }

  #takeEntry(seq: number, entry: QueueEntry | null, { journal, meta }: Changes, before: ReadonlyMap<string, { readonly view: Values | null }>): void {
    const held = this.#entries.get(seq);
    if (entry === null) {
      if (held !== undefined) this.#leave(seq, held.entry, held.save, journal.get(seq));
      return;
    }
    if (held === undefined) return this.#enter(entry, before, meta);
    this.#checkFrozen(held.entry, entry, held.save);
    if (entry.number !== null && held.entry.number === null) {
      const other = this.#options.saves.send(held.save, this.#meta!.store, entry.number);
      if (other !== null) this.#fail('exactly-once', `${describeSave(held.save)} is sent under the number of ${describeSave(other)}`);
    }
    if (entry.state === 'failed' && held.entry.state !== 'failed') {
      held.save.place = 'failed';
      const { decision } = held.save;
      const isOwn = entry.refusal?.class === 'server-error' || entry.refusal?.class === 'too-large' || entry.refusal?.class === 'fate-unknown';
      if (decision !== 'refused' && !isOwn) this.#fail('no-lost-write', `${describeSave(held.save)} became a sync error, and the server never refused it`);
    }
    this.#entries.set(seq, { entry, save: held.save });
  }

  /** Rule A11: a new entry holds what the user saw and entered. */
  #enter(entry: QueueEntry, before: ReadonlyMap<string, { readonly view: Values | null }>, meta: Meta | null): void {
    const { name, user, saves } = this.#options;
    const save = createSave(name, user, entry);
    const last = [...this.#entries.keys()].at(-1) ?? 0;
    if (entry.seq <= last || entry.seq < (this.#meta?.nextSeq ?? 1)) this.#fail('fifo', `${describeSave(save)} is queued behind ${last}`);
    if (meta === null || meta.nextSeq <= entry.seq) this.#fail('durable-save', `${describeSave(save)} is queued, and its number can be given again`);
    if (save.op !== 'create') {
      const view = before.get(save.key)?.view ?? null;
      for (const [field, { previous }] of save.fields) {
        if (view === null || !isSame(view[field], previous)) this.#fail('content', `${describeSave(save)}: ${field} was shown as ${JSON.stringify(view?.[field])}`);
      }
    }
    saves.add(save);
    this.#entries.set(entry.seq, { entry, save });
    this.#queued.set(save.key, [...(this.#queued.get(save.key) ?? []), save]);
  }

  /** Rule C11: there is no sixth way out of the queue. */
  #leave(seq: number, entry: QueueEntry, save: Save, journalled: QueueEntry | undefined): void {
    this.#entries.delete(seq);
    const rest = this.#queued.get(save.key)!.filter((other) => other !== save);
    if (rest.length === 0) this.#queued.delete(save.key);
    else this.#queued.set(save.key, rest);
    if (journalled !== undefined) {
      save.place = 'undone';
      if (!sameChange(entry, journalled)) this.#fail('undo', `the journal does not hold what was entered in ${describeSave(save)}`);
      if (save.isApplied) this.#fail('no-lost-write', `${describeSave(save)} was undone, and had been saved online`);
      return;
    }
    save.place = 'saved';
    if (save.decision !== 'saved') this.#fail('no-lost-write', `${describeSave(save)} left the queue, and the server never said that it was saved`);
    const applied = save.sentAs === null ? null : this.#findWritten(save);
    if (applied !== null && compareVersions(this.known(save.key), applied) < 0) {
      this.#fail('no-lost-write', `${describeSave(save)} was saved as version ${String(applied)}, and the device went back to ${String(this.known(save.key))}`);
    }
  }

  #findWritten({ key, sentAs }: Save): RecordVersion | null {
    return this.#options.history.fed(sentAs!.store, sentAs!.number)?.records.get(key) ?? null;
  }

  /** Rules C2, C4: from the first send on, number and bytes stay. */
  #checkFrozen(before: QueueEntry, after: QueueEntry, save: Save): void {
    if (before.number !== null && (before.number !== after.number || !sameChange(before, after) || !samePrevious(before, after))) {
      this.#fail('frozen', `${describeSave(save)} was changed after it was sent as number ${before.number}`);
    } else if (!sameChange(before, after)) this.#fail('content', `${describeSave(save)} was changed in the queue`);
  }

  #checkKnown(key: string, before: RecordVersion): void {
    if (compareVersions(this.known(key), before) < 0) this.#fail('feed-accounting', `the newest image of ${key}, version ${String(before)}, was dropped`);
  }

  #checkSafety(key: string, before: Held | null, saves: readonly Save[]): void {
    const after = this.#bases.get(key) ?? null;
    if (saves.length === 0 || before === after) return;
    const isSettled = saves.some((save) => save.place === 'saved' || save.place === 'undone');
    if (!isSettled) this.#fail('merge-safety', `version ${String(after?.version)} of ${key} was merged while ${saves.length} changes of it wait`);
  }

  #checkView(key: string, before: Values | null, baseBefore: Held | null, savesBefore: readonly Save[], isApplyingDownload: boolean): void {
    const base = this.#bases.get(key) ?? null;
    if (compareVersions(base?.version ?? NO_VERSION, baseBefore?.version ?? NO_VERSION) > 0) return;
    if (isApplyingDownload && base !== baseBefore) return;
    if (savesBefore.some(({ place }) => place === 'undone')) return;
    const saves = this.#queued.get(key) ?? [];
    const expected = saves.filter((save) => !savesBefore.includes(save)).reduce(applySave, before);
    const after = this.view(key);
    if (sameValues(after, expected)) return;
    this.#fail('monotonic-view', `${key} changed on the screen without a newer version: from ${JSON.stringify(expected)} to ${JSON.stringify(after)}`);
  }

  #takeMeta(meta: Meta, isApplyingDownload: boolean): void {
    const before = this.#meta;
    this.#meta = meta;
    if (before === null) return;
    if (meta.store !== before.store) this.#fail('exactly-once', 'the store took another identity');
    if (before.hasFeedGap && !meta.hasFeedGap && !isApplyingDownload) this.#fail('feed-accounting', 'the gap was forgotten without a download');
    const { cursor } = meta;
    if (cursor === null) {
      if (before.cursor !== null) this.#fail('feed-accounting', 'the cursor was lost');
      return;
    }
    const { history, user, feedFloor } = this.#options;
    const feed = history.feed(user);
    if (cursor.position > feed.length) this.#fail('feed-accounting', `the cursor ${cursor.position} lies beyond the feed`);
    // Where a gap is noted, what is gone from the feed is excused; nothing else is.
    const isGapNoted = meta.hasFeedGap;
    const first = isApplyingDownload ? 0 : (before.cursor?.position ?? 0);
    if (before.cursor !== null && cursor.position < before.cursor.position && !isApplyingDownload) this.#fail('feed-accounting', `the cursor goes back from ${before.cursor.position} to ${cursor.position}`);
    for (let position = first + 1; position <= cursor.position; position++) {
      if (isGapNoted && position <= feedFloor()) continue;
      for (const [key, version] of feed[position - 1]!.records) {
        if (compareVersions(this.known(key), version) >= 0) continue;
        // A download brings what there is; of what is gone, the device need only know that it is not there.
        if (isApplyingDownload && (this.#sides.get(key) ?? this.#bases.get(key))?.state !== 'live' && history.wasGone(key, version, user)) continue;
        this.#fail('feed-accounting', `the cursor passed ${position}, and ${key} is held at version ${String(this.known(key))}, not ${String(version)}`);
      }
    }
  }

  #noteShown(key: string): void {
    const object = key.slice(0, key.indexOf('/'));
    const shown = this.#shown.get(object) ?? new Set();
    this.#shown.set(object, shown);
    if (this.view(key) === null) shown.delete(key);
    else shown.add(key);
  }

  #fail(rule: Rule, message: string): void {
    this.#options.fail(rule, `${this.#options.name}: ${message}`);
  }
}

function viewOf(base: Held | null, saves: readonly Save[]): Values | null {
  return saves.reduce(applySave, base?.state === 'live' ? (base.online?.values ?? null) : null);
}

/** Compares what a user sees; a field without value may be missing. */
export function sameValues(left: Values | null, right: Values | null): boolean {
  if (left === null || right === null) return left === right;
  for (const name of Object.keys(left)) if (!isSame(left[name], right[name])) return false;
  for (const name of Object.keys(right)) if (!isSame(left[name], right[name])) return false;
  return true;
}

function sameChange(left: QueueEntry, right: QueueEntry): boolean {
  return (
    left.members.length === right.members.length &&
    left.members.every((member, index) => {
      const other = right.members[index]!;
      return member.object === other.object && member.id === other.id && member.op === other.op && sameBytes(member.mask, other.mask) && sameBytes(member.next, other.next);
    })
  );
}

function samePrevious(left: QueueEntry, right: QueueEntry): boolean {
  return left.members.every((member, index) => sameBytes(member.previous, right.members[index]!.previous) && compareVersions(member.base, right.members[index]!.base) === 0);
}

function sameBytes(left: Uint8Array | null, right: Uint8Array | null): boolean {
  return left === null || right === null ? left === right : bytesEqual(left, right);
}
