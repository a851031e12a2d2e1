import type { Layout } from '../../../src/protocol/layout.ts';
import { compareVersions, NO_VERSION, type RecordVersion } from '../../../src/protocol/version.ts';
import type { QueueEntry } from '../../../src/client/queue/queue-entry.ts';
import type { HeldImage } from '../../../src/client/store/rows.ts';
import type { Notice } from '../../../src/client/answers/notices.ts';
import type { Meta } from '../../../src/client/store/stored.ts';
import type { Commit } from '../../../src/storage/storage-adapter.ts';
import type { Values } from '../crm.ts';
import { isDownloaded, isShown, isTrueRow, isVisible, sameValues, type OnlineHistory, type OnlineVersion } from './online-history.ts';
import { climb, type GroupsOnline } from './groups-online.ts';
import { HandleLedger } from './handle-ledger.ts';
import { GroupViews } from './group-views.ts';
import { isReadTo } from '../../../src/client/store/feed-moment.ts';
import type { ParkedGroup } from '../../../src/client/store/parked.ts';
import { DraftLedger } from './draft-ledger.ts';
import { NoticeLedger } from './notice-ledger.ts';
import { QueueLedger } from './queue-ledger.ts';
import { keysTouched, readCommit } from './read-commit.ts';
import { applySave, describeSave, keysOfSave, lastSending, type Save, type Saves } from './saves.ts';
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
  readonly groups: GroupsOnline;
  readonly saves: Saves;
  /** Positions of this user's feed that are gone for good: a device that missed them can only know that. */
  readonly feedFloor: () => number;
  /** Records without which a page came that names them. */
  readonly withheld: () => ReadonlySet<string>;
  readonly fail: (rule: Rule, message: string) => void;
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
  readonly queue: QueueLedger;
  readonly drafts: DraftLedger;
  readonly handles: HandleLedger;
  readonly #notices: NoticeLedger;
  readonly #groups: GroupViews;
  readonly #parked = new Map<string, ParkedGroup>();
  #asideBefore: ReadonlyMap<string, Held> = new Map();
  /** Records whose masters are to be looked for. */
  readonly #unchecked = new Set<string>();
  /** Records of which the last commit brought a newer image. */
  #newBases: ReadonlySet<string> = new Set();
  readonly #touchedAt = new Map<string, number>();
  readonly #shown = new Map<string, Set<string>>();
  #meta: Meta | null = null;
  #commits = 0;
  #taken = 0;

  constructor(options: DeviceMirrorOptions) {
    this.#options = options;
    const { name: device, user, saves } = options;
    const fail = (rule: Rule, message: string): void => this.#fail(rule, message);
    this.queue = new QueueLedger({ device, user, saves, fail, meta: () => this.#meta, view: (key) => this.view(key), shown: (object) => this.shown(object), drafted: () => this.drafts.ended, aside: (key) => this.#asideBefore.get(key) ?? null, hasNewBase: (key) => this.#newBases.has(key) });
    this.drafts = new DraftLedger({ layouts: this.#layouts, intents: this.queue.intents, fail });
    this.#notices = new NoticeLedger({ device, fail });
    this.handles = new HandleLedger({ savesOf: (key) => this.queue.of(key), fail });
    this.#groups = new GroupViews({
      user,
      history: options.history,
      groups: options.groups,
      isOwn: ({ by }) => by !== 'online' && saves.sentAs(by.store, by.number)?.save.user === user,
      base: (key) => this.base(key),
      bases: () => this.#bases,
      hasChanges: (header, keys) => this.queue.saves.some((save) => save.headers.includes(header)) || keys.some((key) => this.queue.of(key).length > 0),
      isAside: (header) => this.#sides.has(header) || [...this.#parked.values()].some(({ headers }) => headers.includes(header)),
      withheld: options.withheld,
      fail,
    });
  }

  get meta(): Meta | null {
    return this.#meta;
  }

  /** Notices that the user has still to read, and others that are kept. */
  get notices(): ReadonlyMap<number, Notice> {
    return this.#notices.held;
  }

  /** Whether a download or a large transaction is half applied: nobody may read anything now. */
  get isHalf(): boolean {
    return (this.#meta?.part?.applying ?? this.#meta?.download?.applying ?? null) !== null;
  }

  get sideCount(): number {
    return this.#sides.size;
  }

  /** Rule A35: images that hang on nothing here, because nobody told this device of their masters; a download does. */
  get orphanCount(): number {
    const orphaned = [...this.#parked.values()].filter(({ masters }) => masters.length > 0);
    return [...this.#sides.keys()].filter((key) => orphaned.some(({ headers, members }) => headers.includes(key) || members.has(key))).length;
  }

  /** What is kept aside, and for what it waits, in words. */
  describeAside(): string {
    const sides = [...this.#sides].map(([key, { version }]) => `${key}@${String(version)} over ${String(this.#bases.get(key)?.version)}`);
    const groups = [...this.#parked.values()].map(({ headers, members, masters, until }) => `${headers.join('+')} of ${[...members].map(([key, version]) => `${key}@${String(version)}`).join()}${masters.length === 0 ? '' : ` under ${masters.join()}`}${until === null ? '' : ` until ${until.position}`}`);
    return `${sides.join()} in ${groups.join('; ')}`;
  }

  /** Groups of which something is kept aside, by name. */
  get parked(): ReadonlyMap<string, ParkedGroup> {
    return this.#parked;
  }

  base(key: string): Held | null {
    return this.#bases.get(key) ?? null;
  }

  bases(): IterableIterator<[string, Held]> {
    return this.#bases.entries();
  }

  /** The record as the device shows it. */
  view(key: string): Values | null {
    return viewOf(this.#bases.get(key) ?? null, this.queue.of(key), key);
  }

  /** Who leads a record's group, as the device shows it; `null` outside groups. */
  headerOf(key: string): string | null {
    return climb(key, (at) => this.view(at));
  }

  /** Counts the commits. */
  get commits(): number {
    return this.#taken;
  }

  /** Rule A36: what the status has to say of what waits though no change is in the way. */
  get waiting(): { readonly parked: number; readonly oldestParkedAt: number | null } {
    const isBusy = (key: string): boolean => this.queue.of(key).length > 0 || this.queue.saves.some(({ headers }) => headers.includes(key));
    const groups = [...this.#parked.values()].filter(({ headers, members }) => ![...headers, ...members.keys()].some(isBusy));
    return { parked: groups.length, oldestParkedAt: groups.length === 0 ? null : Math.min(...groups.map(({ since }) => since)) };
  }

  /** Rule A38: says of groups that are kept aside whether anything is still in their way. */
  checkReleased(only?: string): void {
    for (const [name, { headers, members, masters, until }] of this.#parked) {
      const keys = [...new Set([...headers, ...members.keys()])];
      if (only !== undefined && !keys.includes(only)) continue;
      const isBusy = keys.some((key) => this.queue.of(key).length > 0 || this.drafts.holds(key) || this.handles.holds(key, new Set(headers)));
      const isNamed = this.queue.saves.some((save) => save.headers.some((header) => headers.includes(header)));
      const isComplete = [...members].every(([key, version]) => compareVersions(this.known(key), version) >= 0) && masters.every((key) => this.base(key) !== null);
      if (!isBusy && !isNamed && isComplete && isReadTo(until, this.#meta!)) this.#fail('parked', `${name} is kept aside, and nothing is in the way`);
    }
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
    this.queue.discard();
  }

  /** Takes a commit that has become durable. */
  take(commit: Commit): void {
    this.#taken += 1;
    const changes = readCommit(commit, this.#layouts);
    const isApplyingDownload = (this.#meta?.download?.applying ?? null) !== null;
    const isEndOfDownload = isApplyingDownload && changes.meta?.download === null;
    const keys = keysTouched(changes, (seq) => this.queue.keysOf(seq));
    const before = new Map([...keys].map((key) => [key, { view: this.view(key), known: this.known(key), base: this.base(key), saves: this.queue.of(key), isInUse: this.drafts.holds(key), isOpen: this.handles.holds(key, this.#groups.headersOf([key])) }]));
    const headers = this.#groups.headersOf(keys);
    this.drafts.take(commit);
    for (const [name, group] of changes.parked) if (group === null) this.#parked.delete(name); else this.#parked.set(name, group);
    this.#newBases = new Set(changes.bases.keys());
    this.#asideBefore = new Map([...this.#sides].filter(([key, { version }]) => compareVersions(version, this.#bases.get(key)?.version ?? NO_VERSION) > 0));
    for (const [key, image] of changes.bases) this.#takeBase(key, image, isApplyingDownload);
    for (const [key, image] of changes.sides) this.#takeSide(key, image);
    const left = this.queue.take(changes, before);
    this.#notices.take(changes, left, (save, key) => this.#wasRemoved(save, key));
    const answered = [...left.filter(({ place }) => place !== 'undone' && place !== 'withdrawn'), ...this.#remaindersIn(changes.entries)];
    this.handles.noteSaves(answered);
    const settled = this.queue.checkViews(before);
    this.drafts.checkSaved((key) => this.queue.of(key).length > 0, (key) => this.view(key));
    for (const [key, was] of before) {
      this.#checkKnown(key, was.known, isApplyingDownload);
      if (!settled.has(key)) this.#checkSafety(key, was.base, was.saves);
      if (!settled.has(key)) this.#checkView(key, was.view, was.base, was.saves, isApplyingDownload);
      if (was.isInUse && this.drafts.holds(key) && was.saves.length === 0 && was.base !== this.base(key)) this.#fail('merge-safety', `${key} was merged while a draft holds it`);
      const isSeen = was.base?.state === 'live' || this.base(key)?.state === 'live';
      if (was.isOpen && isSeen && was.base !== this.base(key) && !isApplyingDownload && !isSettledIn(was.saves)) this.#fail('in-use', `version ${String(this.base(key)?.version)} of ${key} was merged while somebody has its group open`);
      for (const save of was.saves) if (save.place === 'saved') this.#checkSaved(key, save);
      this.#noteShown(key);
      this.#touchedAt.set(key, ++this.#commits);
    }
    if (changes.meta !== null) this.#takeMeta(changes.meta, isEndOfDownload);
    for (const header of this.#groups.headersOf(keys)) headers.add(header);
    this.#groups.noteAnswered(answered.flatMap((save) => [...save.headers, ...this.#groups.headersOf(keysOfSave(save))]));
    if (isEndOfDownload) this.#groups.noteDownloaded();
    const { cursor, hasFeedGap } = this.#meta!;
    // A download and a large transaction take several commits; nothing is read between them, and a client that is killed among them goes on first.
    const isWhole = !this.isHalf;
    this.#groups.check(headers, { position: cursor?.position ?? 0, hasGap: hasFeedGap }, isWhole);
    // An answer is taken in, whatever its record hangs on by now.
    const own = new Set(answered.flatMap(keysOfSave));
    // Nor are the pages of a download of one moment: what others made meanwhile may come without what it hangs on.
    if (!isApplyingDownload) for (const key of changes.bases.keys()) if (!own.has(key)) this.#unchecked.add(key);
    if (!isWhole) return;
    this.#groups.checkMasters(this.#unchecked, (key) => this.queue.of(key).some(({ members }) => members.some((member) => member.key === key && member.op === 'create')));
    this.#unchecked.clear();
  }

  /** Saves of which a part was saved. */
  #remaindersIn(entries: ReadonlyMap<number, QueueEntry | null>): Save[] {
    return [...entries.values()].flatMap((entry) => (entry?.refusal?.isRemainder === true ? (this.queue.save(entry.seq) ?? []) : []));
  }

  #takeBase(key: string, image: HeldImage | null, isApplyingDownload: boolean): void {
    const before = this.#bases.get(key) ?? null;
    if (image === null) {
      this.#bases.delete(key);
      return;
    }
    const order = compareVersions(image.version, before?.version ?? NO_VERSION);
    // What a download did not have goes as it was, and comes back as it was.
    const isRemoval = order === 0 && (image.state === 'hidden' || before?.state === 'hidden');
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

  #wasRemoved(save: Save, key: string): boolean {
    const version = this.#savedAs(save, key);
    const online = version === null ? null : this.#options.history.at(key, version);
    return online !== null && !isShown(online, this.#options.user);
  }

  /** The version that a save made of a record; `null` when it wrote nothing. */
  #savedAs(save: Save, key: string): RecordVersion | null {
    const sending = lastSending(save);
    return sending === null ? null : (this.#options.history.fed(sending.store, sending.number)?.records.get(key) ?? null);
  }

  /** What was saved online is here as it was saved, or newer. */
  #checkSaved(key: string, save: Save): void {
    const applied = this.#savedAs(save, key);
    if (applied !== null && compareVersions(this.known(key), applied) < 0) {
      this.#fail('no-lost-write', `${describeSave(save)} was saved as version ${String(applied)}, and the device went back to ${String(this.known(key))}`);
    }
  }

  #checkKnown(key: string, before: RecordVersion, isApplyingDownload: boolean): void {
    // Of what it was never shown and is gone, a device need not know after a download.
    if (isApplyingDownload && this.#options.history.wasGone(key, before, this.#options.user)) return;
    if (compareVersions(this.known(key), before) < 0) this.#fail('feed-accounting', `the newest image of ${key}, version ${String(before)}, was dropped`);
  }

  #checkSafety(key: string, before: Held | null, saves: readonly Save[]): void {
    const after = this.#bases.get(key) ?? null;
    if (saves.length === 0 || before === after) return;
    if (!isSettledIn(saves)) this.#fail('merge-safety', `version ${String(after?.version)} of ${key} was merged while ${saves.length} changes of it wait`);
  }

  #checkView(key: string, before: Values | null, baseBefore: Held | null, savesBefore: readonly Save[], isApplyingDownload: boolean): void {
    const base = this.#bases.get(key) ?? null;
    if (compareVersions(base?.version ?? NO_VERSION, baseBefore?.version ?? NO_VERSION) > 0) return;
    if (base !== baseBefore && (isApplyingDownload || baseBefore?.state === 'hidden')) return;
    if (savesBefore.some(({ place }) => TAKEN_BACK.includes(place))) return;
    const expected = this.queue.of(key).filter((save) => !savesBefore.includes(save)).reduce((values, save) => applySave(values, save, key), before);
    const after = this.view(key);
    if (sameValues(after, expected)) return;
    this.#fail('monotonic-view', `${key} changed on the screen without a newer version: from ${JSON.stringify(expected)} to ${JSON.stringify(after)}`);
  }

  /** Whether a record is held as one that no download of this user has (rule A32). */
  #isOutOfScope(key: string): boolean {
    const online = this.#bases.get(key)?.online ?? null;
    return online !== null && !isDownloaded(online, this.#options.user);
  }

  #takeMeta(meta: Meta, isEndOfDownload: boolean): void {
    const before = this.#meta;
    this.#meta = meta;
    if (before === null) return;
    if (meta.store !== before.store) this.#fail('exactly-once', 'the store took another identity');
    if (before.hasFeedGap && !meta.hasFeedGap && !isEndOfDownload) this.#fail('feed-accounting', 'the gap was forgotten without a download');
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
    const first = isEndOfDownload ? 0 : (before.cursor?.position ?? 0);
    if (before.cursor !== null && cursor.position < before.cursor.position && !isEndOfDownload) this.#fail('feed-accounting', `the cursor goes back from ${before.cursor.position} to ${cursor.position}`);
    for (let position = first + 1; position <= cursor.position; position++) {
      if (isGapNoted && position <= feedFloor()) continue;
      for (const [key, version] of feed[position - 1]!.records) {
        if (this.#options.withheld().has(key) || compareVersions(this.known(key), version) >= 0) continue;
        // A download brings what there is; of what is gone, the device need only know that it is not there.
        if (isEndOfDownload && (this.#sides.get(key) ?? this.#bases.get(key))?.state !== 'live' && history.wasGone(key, version, user)) continue;
        // What a gap has lost of a record out of scope no page has either.
        if (isEndOfDownload && before.hasFeedGap && this.#isOutOfScope(key)) continue;
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
    this.#options.fail(rule, `${this.#options.name}: ${message}${rule === 'half-merged' && this.#sides.size > 0 ? ` (aside: ${this.describeAside()})` : ''}`);
  }
}

/** What the user took back, or had to give up, is no longer shown. */
const TAKEN_BACK: readonly Save['place'][] = ['undone', 'discarded', 'duplicated', 'withdrawn'];

/** Whether one of these saves was decided in the commit. */
function isSettledIn(saves: readonly Save[]): boolean {
  return saves.some((save) => (save.place !== 'queue' && save.place !== 'failed') || lastSending(save)?.decision === 'partlySaved');
}

function viewOf(base: Held | null, saves: readonly Save[], key: string): Values | null {
  return saves.reduce((values, save) => applySave(values, save, key), base?.state === 'live' ? (base.online?.values ?? null) : null);
}
