import type { ProtocolLimits } from '../../protocol/limits.ts';
import { decodeRow } from '../../protocol/row.ts';
import { bytesEqual } from '../../shared/bytes.ts';
import { SyncFault } from '../../shared/fault.ts';
import { releaseInStep, releaseLeft } from '../answers/release.ts';
import type { SavedMember } from '../drafts/draft-rows.ts';
import type { EngineContext } from '../engine-context.ts';
import { assertMayEdit } from '../queue/guards.ts';
import { GroupFinder } from '../queue/groups.ts';
import { saveChange, saveFault } from '../queue/save-changes.ts';
import type { ChangedRecords } from '../store/changed-records.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import { versionOf, type HeldImage } from '../store/rows.ts';
import type { HandleAnswer, HandleMode, HandleRequest, HandleSave, HandleView, NewerRecord } from './handle.ts';
import { newerThanShown, shownAfter, type Shown } from './handle-state.ts';

export { SaveGuard } from '../queue/guards.ts';

/** A record that somebody has open. */
interface Handle {
  readonly handle: number;
  readonly key: Key;
  readonly mode: HandleMode;
  readonly listener: (view: HandleView) => void;
  shown: Shown;
  /** The row of the last view; `null` before the first. */
  told: Uint8Array | null;
  view: HandleView;
  /** The records that it keeps from being merged into: its own, and who leads its group. */
  held: readonly Key[];
  release: () => void;
  /** The records on which its view hangs: a commit that touches none of them changes nothing of it. */
  watched: ReadonlySet<Key>;
}

/**
 * Keeps the records that people have open (rules A36, A38): a worker part of its own. Nothing of it is durable, because what is open ends
 * with the page. Every method but {@link noteSaved} runs as a step of the engine.
 */
export class HandleDesk {
  readonly #context: EngineContext;
  readonly #open = new Map<number, Handle>();
  /** Own saves that the server has taken and that no handle has looked at yet. */
  #saved: SavedMember[] = [];
  readonly #watchers = new Map<Key, Set<Handle>>();
  /** A look at the handles failed, and some were not looked at. */
  #isBehind = false;
  #handles = 0;

  constructor(context: EngineContext) {
    this.#context = context;
    context.store.inUse.asideChanged ??= new Set();
  }

  /**
   * Opens a record and tells the listener what it shows, then and after each change. Answers the number of the handle.
   *
   * @throws {@link SyncFault} `RECORD_MISSING`; to edit, also `RECORD_LOCKED` and `RECORD_CHANGED_ELSEWHERE`
   */
  async open(object: string, id: string, mode: HandleMode, listener: (view: HandleView) => void): Promise<number> {
    const { store, records, emit } = this.#context;
    const layout = store.layout(object);
    const finder = new GroupFinder(this.#context);
    const key = await records.resolve(object, id, finder.record);
    const { row } = await finder.record(key);
    if (row === null) throw saveFault('RECORD_MISSING', key, 'is not on this device');
    if (mode === 'edit') await assertMayEdit(this.#context, finder, key);
    const handle = ++this.#handles;
    const held = [key];
    const shown = { row, entries: store.entriesOf(key) };
    const record = { ...splitKey(key), values: decodeRow(layout, row), syncState: records.syncState(key) };
    const one: Handle = { handle, key, mode, listener, shown, told: null, held, release: store.inUse.mark(held), view: { handle, place: 0, record, newer: null }, watched: new Set() };
    this.#open.set(handle, one);
    try {
      await this.#look(one, []);
    } catch (thrown) {
      // Nobody would ever close it.
      this.#open.delete(handle);
      this.#watch(one, new Set());
      one.release();
      throw thrown;
    }
    emit({ type: 'handle:opened', handle, ...splitKey(key), mode });
    return handle;
  }

  /**
   * Rule A38: ends a handle. With the last one of a record, what waited is merged, before any later call reads it; what the disk has no room
   * for now, after the next commit that it has room for, or with a later poll.
   */
  async close(handle: number): Promise<void> {
    const one = this.#open.get(handle);
    if (one === undefined) return;
    this.#open.delete(handle);
    this.#watch(one, new Set());
    one.release();
    this.#context.emit({ type: 'handle:closed', handle, ...splitKey(one.key), mode: one.mode });
    await releaseLeft(this.#context, one.held);
  }

  /** Answers what is asked of an open record. @throws {@link SyncFault} `HANDLE_CLOSED`, and what saves throw */
  async answer(context: EngineContext, limits: ProtocolLimits, request: HandleRequest): Promise<HandleAnswer> {
    switch (request.kind) {
      case 'newer': return this.#newer(request.object, request.id);
      case 'close': return this.close(request.handle).then(() => null);
      case 'showNewest': return this.#showNewest(this.#of(request.handle));
      default: return this.#save(context, limits, this.#of(request.handle), request);
    }
  }

  /** Own saves were taken by the server, and what became of them is durable. */
  noteSaved(saved: readonly SavedMember[]): void {
    if (this.#open.size > 0) this.#saved.push(...saved);
  }

  /**
   * After commits: shows each handle what it may show of them.
   *
   * @param changed - the records that they changed, what is kept aside not counted; `null` for any
   */
  async refresh(changed: ChangedRecords = null): Promise<void> {
    const saved = this.#saved, { store } = this.#context;
    this.#saved = [];
    const touched = [...(changed ?? []), ...(store.inUse.asideChanged ?? []), ...saved.map(({ sent }) => keyOf(sent.object, sent.id))];
    store.inUse.asideChanged = new Set();
    const handles = changed === null || this.#isBehind ? new Set(this.#open.values()) : new Set(touched.flatMap((key) => [...(this.#watchers.get(key) ?? [])]));
    this.#isBehind = true;
    for (const one of handles) if (this.#open.has(one.handle)) await this.#look(one, saved);
    this.#isBehind = false;
    await releaseLeft(this.#context).catch(() => {});
  }

  /** Forgets all handles: the engine closes. */
  clear(): void {
    this.#open.clear();
    this.#watchers.clear();
  }

  /** Notes on which records a view hangs. */
  #watch(one: Handle, keys: ReadonlySet<Key>): void {
    for (const key of one.watched) {
      const watchers = this.#watchers.get(key);
      watchers?.delete(one);
      if (watchers?.size === 0) this.#watchers.delete(key);
    }
    one.watched = keys;
    for (const key of keys) this.#watchers.set(key, (this.#watchers.get(key) ?? new Set()).add(one));
  }

  #of(handle: number): Handle {
    const one = this.#open.get(handle);
    if (one === undefined) throw new SyncFault('HANDLE_CLOSED', `handle ${handle} is closed`, { details: { handle } });
    return one;
  }

  async #save(context: EngineContext, limits: ProtocolLimits, one: Handle, { kind, values }: Extract<HandleRequest, { readonly values: unknown }>): Promise<HandleSave> {
    const { object, id } = splitKey(one.key);
    const seen = decodeRow(context.store.layout(object), one.shown.row);
    const receipt = await saveChange(context, limits, { op: kind, object, id, values, seen });
    await this.refresh();
    return { receipt, view: one.view };
  }

  /** Shows what the record is now; what waits for this handle alone is merged first. */
  async #showNewest(one: Handle): Promise<HandleView> {
    const { store } = this.#context;
    one.release();
    try {
      await releaseInStep(this.#context, one.held);
    } finally {
      one.release = store.inUse.mark(one.held);
    }
    const { row } = await this.#context.records.read(one.key);
    if (row !== null) one.shown = { row, entries: store.entriesOf(one.key) };
    await this.refresh();
    return one.view;
  }

  async #newer(object: string, id: string): Promise<NewerRecord | null> {
    const { store, records } = this.#context;
    const layout = store.layout(object);
    const key = await records.resolve(object, id);
    const side = this.#asideOf(key, (await records.read(key)).base);
    const row = store.rowOf(side, object);
    return side && { state: side.state, record: row && { ...splitKey(key), values: decodeRow(layout, row), syncState: records.syncState(key) } };
  }

  /** Looks at what has become of a handle's record, and tells its listener where that shows. */
  async #look(one: Handle, saved: readonly SavedMember[]): Promise<void> {
    const { schema, store, records, rules } = this.#context;
    const { key } = one;
    const { object } = splitKey(key);
    const layout = store.layout(object);
    const finder = new GroupFinder(this.#context);
    const { row, base } = await finder.record(key);
    const own = saved.filter(({ sent }) => keyOf(sent.object, sent.id) === key);
    const shown = shownAfter(schema, layout, one.shown, { key, row, entries: store.entriesOf(key), saved: own, showsAnswer: rules.showsAnswer });
    if (row !== null) this.#follow(one, (await finder.above(key)).at(-1) ?? key);
    const { view } = one;
    const newer = newerThanShown({
      shown: shown.row,
      row,
      baseState: base?.state,
      aside: this.#asideOf(key, base)?.state ?? null,
      isSubmitted: await this.#isSubmitted(finder, one, row),
      isGroupAside: await this.#isGroupAside(one),
    });
    this.#watch(one, new Set([...finder.keys, ...one.held, ...one.held.flatMap((at) => store.parkedOf(at)).flatMap(({ members }) => [...members.keys()])]));
    const syncState = records.syncState(key);
    const isSame = one.told !== null && bytesEqual(one.told, shown.row) && view.newer === newer && view.record.syncState === syncState;
    one.shown = shown;
    if (isSame) return;
    one.told = shown.row;
    one.view = { handle: one.handle, place: view.place + 1, record: { ...view.record, values: decodeRow(layout, shown.row), syncState }, newer };
    one.listener(one.view);
  }

  /** Who leads the group is in use, too: at the opening, and again when the user's own save has moved the record to another group. */
  #follow(one: Handle, top: Key): void {
    if (one.held.includes(top)) return;
    const { release } = one;
    one.held = [...one.held, top];
    one.release = this.#context.store.inUse.mark(one.held);
    release();
  }

  /** What waits of a record, if it is newer than what was merged: the answer to an own save can be newer. */
  #asideOf(key: Key, base: HeldImage | null): HeldImage | null {
    const { store, rules } = this.#context;
    const side = store.side(key);
    return side !== null && rules.isNewer(side.version, versionOf(base)) ? side : null;
  }

  /** Whether something of the group that a handle keeps as it is waits. */
  async #isGroupAside({ held }: Handle): Promise<boolean> {
    const { store, rules } = this.#context;
    const groups = held.flatMap((key) => store.parkedOf(key).filter(({ headers, members }) => headers.includes(key) || members.has(key)));
    const members = groups.flatMap((group) => [...group.members]);
    const bases = await store.readBases(members.map(([key]) => key));
    for (const [key, version] of members) {
      const base = bases.get(key) ?? null;
      if (rules.isNewer(version, versionOf(base)) || this.#asideOf(key, base) !== null) return true;
    }
    return false;
  }

  /** Whether the group was submitted elsewhere, while the handle shows one that is open. */
  async #isSubmitted(finder: GroupFinder, { key, held, shown }: Handle, row: Uint8Array | null): Promise<boolean> {
    const { schema, store, rules } = this.#context;
    const top = held.at(-1)!;
    const { object } = splitKey(top);
    const isLocked = (image: Uint8Array | null): boolean => rules.isLocked(schema.objects[object]!.submitted, store.layout(object), image);
    const leading = await finder.record(top);
    if (isLocked(store.rowOf(this.#asideOf(top, leading.base), object))) return !isLocked(leading.row);
    return top === key && isLocked(row) && !isLocked(shown.row);
  }
}
