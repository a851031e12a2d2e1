import { groupObjectsOf } from '../../../src/protocol/groups.ts';
import { compareVersions } from '../../../src/protocol/version.ts';
import { MASTERS, schema, type Values } from '../crm.ts';
import type { Held } from './device-mirror.ts';
import { climb, type GroupsOnline } from './groups-online.ts';
import type { OnlineHistory, OnlineVersion } from './online-history.ts';
import type { Rule } from './violation.ts';

export interface GroupViewsOptions {
  readonly user: string;
  readonly history: OnlineHistory;
  readonly groups: GroupsOnline;
  /** Says whether a device of this user wrote a version: only that is on the user's feed. */
  readonly isOwn: (version: OnlineVersion) => boolean;
  readonly base: (key: string) => Held | null;
  readonly bases: () => Iterable<[string, Held]>;
  /** Says whether the user has changed something of a group, and not heard yet what became of it. */
  readonly hasChanges: (header: string, members: readonly string[]) => boolean;
  /** Says whether something of a group is kept aside. */
  readonly isAside: (header: string) => boolean;
  /** Records without which a page came that names them. */
  readonly withheld: () => Iterable<string>;
  readonly fail: (rule: Rule, message: string) => void;
}

/** A group as a device shows it. */
interface ShownGroup {
  readonly header: string;
  readonly members: ReadonlyMap<string, Held & { readonly online: OnlineVersion }>;
}

/** Where a device stands with its user's feed. */
export interface FeedPlace {
  readonly position: number;
  /** Nothing that was missed will come by itself. */
  readonly hasGap: boolean;
}

/**
 * Rules A34, A35: of each group without changes of its own a device shows what the server had at one moment, whole. What others than its
 * user did meanwhile need not be among it, because that does not travel on the feed (rule A40).
 */
export class GroupViews {
  readonly #options: GroupViewsOptions;
  /** Groups of which an answer to an own save brought a part: the echo of that save, at this position of the feed, brings the rest. */
  readonly #answered = new Map<string, number>();
  readonly #unchecked = new Set<string>();

  constructor(options: GroupViewsOptions) {
    this.#options = options;
  }

  /** The records that lead the groups of these records, as they are held. */
  headersOf(keys: Iterable<string>): Set<string> {
    const { base } = this.#options;
    return new Set([...keys].flatMap((key) => climb(key, (at) => valuesOf(base(at))) ?? []));
  }

  /** The answer to an own save was taken in. */
  noteAnswered(headers: Iterable<string>): void {
    const { history, user } = this.#options;
    for (const header of headers) this.#answered.set(header, history.feed(user).length);
  }

  /** A download was applied: the feed goes on from where its first page was read, and brings what happened until the last one was. */
  noteDownloaded(): void {
    this.noteAnswered(this.headersOf([...this.#options.bases()].map(([key]) => key)));
  }

  /** A commit touched groups. @param isWhole - false while a large transaction is being applied, commit by commit */
  check(touched: Iterable<string>, { position, hasGap }: FeedPlace, isWhole: boolean): void {
    for (const header of touched) this.#unchecked.add(header);
    if (!isWhole) return;
    for (const [header, answeredAt] of this.#answered) if (!hasGap && position >= answeredAt) this.#unchecked.add(header);
    for (const header of this.#unchecked) this.#checkGroup(header, { position, hasGap });
    this.#unchecked.clear();
  }

  #checkGroup(header: string, place: FeedPlace): void {
    const { position, hasGap } = place;
    const { hasChanges, isAside } = this.#options;
    const shown = this.#shown(header);
    const keys = [header, ...shown.members.keys()];
    if (hasChanges(header, keys)) return;
    const answeredAt = this.#answered.get(header);
    if (answeredAt !== undefined) {
      if (hasGap || position < answeredAt || isAside(header) || this.#isShort(header)) return;
      this.#answered.delete(header);
    }
    const problem = this.#findTear(shown, place);
    if (problem !== null) this.#options.fail('half-merged', `${header} is shown as it never was: ${problem}`);
  }

  /** A page that was to bring the rest came without some of it: what the answer had is here already, and waits for nothing. */
  #isShort(header: string): boolean {
    const { withheld, groups } = this.#options;
    return [...withheld()].some((key) => groups.everLedBy(key).includes(header));
  }

  /** The live records that a device holds of a group. */
  #shown(header: string): ShownGroup {
    const { base, bases } = this.#options;
    const top = header.slice(0, header.indexOf('/'));
    const objects = new Set([top, ...groupObjectsOf(schema, top)]);
    const members = new Map<string, Held & { readonly online: OnlineVersion }>();
    for (const [key, held] of bases()) {
      if (!objects.has(objectOf(key)) || held.state !== 'live' || held.online === null) continue;
      if (climb(key, (at) => valuesOf(base(at))) === header) members.set(key, { ...held, online: held.online });
    }
    return { header, members };
  }

  #findTear({ header, members }: ShownGroup, place: FeedPlace): string | null {
    if (members.size === 0) return null;
    let [from, newest, until, oldest] = [-1, '', Infinity, ''];
    for (const [key, { online }] of members) if (online.moment > from) [from, newest] = [online.moment, key];
    for (const [key, { online }] of members) {
      const end = this.#hasDeparted(key, header, online, place) ? Infinity : this.#replacedAt(key, online);
      if (end < until) [until, oldest] = [end, key];
    }
    if (from >= until) return `${newest} is at version ${String(members.get(newest)!.version)}, and ${oldest} still at ${String(members.get(oldest)!.version)}`;
    const { groups, history, isOwn } = this.#options;
    // At one of the moments at which all of these were there, there was nothing else.
    let missing: string[] = [];
    for (const moment of groups.momentsOf(header, from, until)) {
      missing = groups.membersAt(header, moment).filter((key) => !members.has(key) && isOwn(history.asOf(key, moment)!) && !this.#hasLeft(key, moment, place));
      if (missing.length === 0) return null;
    }
    return `${missing.join()} is missing beside ${[...members].map(([key, { version }]) => `${key}@${String(version)}`).join()}`;
  }

  /** A page has the newest image of each record: one may have left a group by a later save, which tells of that group when its turn comes, or is lost in a gap. */
  #hasLeft(key: string, moment: number, { position, hasGap }: FeedPlace): boolean {
    const held = this.#options.base(key)?.online ?? null;
    return held !== null && held.moment > moment && (hasGap || !this.#isFed(key, held.moment, position));
  }

  /**
   * Whether a record has left its group since, and nothing has told the device of that yet: a page has a group as it is, and of who left it
   * only what its own saves say. A save whose turn has not come does, and a download does of what others did, or of what a gap has lost.
   */
  #hasDeparted(key: string, header: string, held: OnlineVersion, { position, hasGap }: FeedPlace): boolean {
    const { groups, history } = this.#options;
    const left = history.versions(key).find(({ version, moment }) => compareVersions(version, held.version) > 0 && !groups.membersAt(header, moment).includes(key));
    return left !== undefined && (hasGap || !this.#isFed(key, left.moment, position));
  }

  /** Whether the feed up to a position tells of a record as it was at a moment, or newer. */
  #isFed(key: string, moment: number, position: number): boolean {
    const { history, user } = this.#options;
    const { version } = history.asOf(key, moment)!;
    return history.feed(user).slice(0, position).some(({ records }) => records.has(key) && compareVersions(records.get(key)!, version) >= 0);
  }

  /** When this user's devices wrote the next version of a record. */
  #replacedAt(key: string, { version }: OnlineVersion): number {
    const { history, isOwn } = this.#options;
    return history.versions(key).find((later) => compareVersions(later.version, version) > 0 && isOwn(later))?.moment ?? Infinity;
  }

  /** Rule A35: what hangs on a master is not shown before that. */
  checkMasters(keys: Iterable<string>, isMadeHere: (key: string) => boolean): void {
    const { base, history, user, fail } = this.#options;
    for (const key of keys) {
      const master = MASTERS[objectOf(key)];
      const above = master === undefined ? null : valuesOf(base(key))?.[master.field];
      if (typeof above !== 'string') continue;
      const masterKey = `${master!.target}/${above}`;
      const first = history.versions(masterKey)[0];
      if (base(masterKey) !== null || first === undefined || isMadeHere(masterKey) || history.wasGone(masterKey, first.version, user)) continue;
      fail('half-merged', `${key} is shown, and its master ${masterKey} is not on the device`);
    }
  }
}

function valuesOf(held: Held | OnlineVersion | null): Values | null {
  if (held === null) return null;
  if ('isDeleted' in held) return held.isDeleted ? null : held.values;
  return held.state === 'live' ? (held.online?.values ?? null) : null;
}

function objectOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}
