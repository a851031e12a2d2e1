import type { Core } from '../../../src/core/core.ts';
import { decodeEnvelope } from '../../../src/protocol/envelope.ts';
import type { FeedAnswer, WireGroup } from '../../../src/protocol/messages.ts';
import { parseFeedAnswer } from '../../../src/protocol/parse.ts';
import { compareVersions, type RecordVersion } from '../../../src/protocol/version.ts';
import { parseLayouts } from '../../../src/protocol/wire-layout.ts';
import { MASTERS } from '../crm.ts';
import type { GroupsOnline } from './groups-online.ts';
import { isShown, type OnlineHistory } from './online-history.ts';
import type { Rule } from './violation.ts';

export interface PagesOptions {
  readonly core: Core;
  readonly history: OnlineHistory;
  readonly groups: GroupsOnline;
  readonly ownerOf: (store: string) => string | undefined;
  readonly fail: (rule: Rule, message: string) => void;
}

interface PageItem {
  readonly key: string;
  readonly version: RecordVersion;
  readonly state: 'live' | 'deleted' | 'hidden';
}

/** Judges the pages of the feed as the server sends them, whether or not they come through. */
export class Pages {
  readonly #options: PagesOptions;

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  /** Rules A7, A28, A29, A30: a page holds what its user's own devices saved, with the groups and masters of that, as they were at one moment. */
  take(device: string, body: Uint8Array): void {
    const { core, ownerOf } = this.#options;
    const page = parseFeedAnswer(decodeEnvelope(body));
    const layouts = parseLayouts(page.layouts);
    const table = core.readImages(page.items, layouts);
    if (!table.ok) return this.#fail('true-images', `a feed page for ${device} cannot be read`);
    const items = Array.from({ length: table.count }, (_, index): PageItem => ({
      key: `${layouts[table.layout(index)]!.object}/${table.id(index)}`,
      version: table.version(index),
      state: table.state(index),
    }));
    const user = ownerOf(page.store) ?? '';
    this.#checkMoment(device, items);
    this.#checkStates(device, user, items);
    const fed = this.#checkTransactions(device, user, page, items);
    this.#checkExtras(device, page.groups, items, fed);
    if (page.part === null) for (const group of page.groups) this.#checkManifest(device, group, items);
  }

  /** The transactions of a page are those of the user's feed, each with all its records. */
  #checkTransactions(device: string, user: string, { transactions, part }: FeedAnswer, items: readonly PageItem[]): Set<string> {
    const feed = this.#options.history.feed(user);
    const fed = new Set<string>();
    for (const { position, store, number, items: named } of transactions) {
      const row = feed[position - 1];
      if (row === undefined || row.store !== store || row.number !== number) {
        this.#fail('isolation', `a page for ${device} holds a save that is not on the feed of ${user} at ${position}`);
        continue;
      }
      for (const key of row.records.keys()) fed.add(key);
      if (part !== null) continue;
      for (const [key, version] of row.records) {
        const index = named.find((item) => items[item]?.key === key);
        if (index === undefined || compareVersions(items[index]!.version, version) < 0) this.#fail('feed-complete', `position ${position} for ${device} comes without ${key} at version ${String(version)}`);
      }
    }
    return fed;
  }

  /** Besides them a page has the members of their groups, and the masters of all of these. */
  #checkExtras(device: string, wireGroups: readonly WireGroup[], items: readonly PageItem[], fed: ReadonlySet<string>): void {
    const { history, groups } = this.#options;
    const headers = new Set([...fed].flatMap((key) => groups.everAbove(key)));
    for (const { object, id } of wireGroups) if (!headers.has(`${object}/${id}`)) this.#fail('isolation', `a page for ${device} names the group of ${object}/${id}, which none of its saves concerns`);
    const allowed = new Set(fed);
    for (const { key } of items) if (groups.everLedBy(key).some((header) => headers.has(header))) allowed.add(key);
    // Grows while it is walked: masters have masters.
    for (const key of allowed) {
      const master = MASTERS[key.slice(0, key.indexOf('/'))];
      if (master !== undefined) for (const { values } of history.versions(key)) if (typeof values[master.field] === 'string') allowed.add(`${master.target}/${String(values[master.field])}`);
    }
    for (const { key } of items) if (!allowed.has(key)) this.#fail('isolation', `a page for ${device} holds ${key}, which none of its saves concerns`);
  }

  /** Rule A29: a page is one snapshot. */
  #checkMoment(device: string, items: readonly PageItem[]): void {
    const { history } = this.#options;
    let [from, newest, until, oldest] = [-1, '', Infinity, ''];
    for (const { key, version } of items) {
      const online = history.at(key, version);
      if (online === null) {
        this.#fail('true-images', `a page for ${device} holds ${key} at version ${String(version)}, which never was online`);
        continue;
      }
      if (online.moment > from) [from, newest] = [online.moment, key];
      const end = history.versions(key)[version[1]]?.moment ?? Infinity;
      if (end < until) [until, oldest] = [end, key];
    }
    if (from >= until) this.#fail('feed-complete', `a page for ${device} is torn: ${newest} came when ${oldest} was no longer what it holds`);
  }

  /** Rule A28: a record that the user may not see comes as a removal. */
  #checkStates(device: string, user: string, items: readonly PageItem[]): void {
    for (const { key, version, state } of items) {
      const online = this.#options.history.at(key, version);
      if (online === null || (state === 'live') === isShown(online, user)) continue;
      this.#fail('isolation', `a page for ${device} says that ${key} is ${state}, and for ${user} it is ${isShown(online, user) ? 'there' : 'gone'}`);
    }
  }

  /** Rule A35: the manifest of a group names everybody in it, at the moment of the page. */
  #checkManifest(device: string, { object, id, members, others }: WireGroup, items: readonly PageItem[]): void {
    const { history, groups } = this.#options;
    const header = `${object}/${id}`;
    // What is gone is among the members too: it takes its place in what the device holds.
    const live = members.flatMap((index) => (items[index]!.state === 'live' ? [[items[index]!.key, items[index]!.version] as const] : []));
    const named = new Map([...live, ...others.map(({ object: kind, id: name, epoch, n }) => [`${kind}/${name}`, [epoch, n]] as const)]);
    const at = [...named].map(([key, version]) => history.at(key, version)?.moment ?? 0);
    const from = Math.max(0, ...at);
    const wanted = groups.momentsOf(header, from, Infinity).map((moment) => groups.membersAt(header, moment));
    const isWhole = wanted.some((keys) => keys.length === named.size && keys.every((key) => named.has(key)));
    if (!isWhole) this.#fail('feed-complete', `a page for ${device} says that ${[...named.keys()].join()} is all of ${header}, and it is ${wanted.at(-1)!.join()}`);
  }

  #fail(rule: Rule, message: string): void {
    this.#options.fail(rule, message);
  }
}
