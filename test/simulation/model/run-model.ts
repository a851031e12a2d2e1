import type { SyncEngine } from '../../../src/client/engine.ts';
import { isFault } from '../../../src/shared/fault.ts';
import { createSeededRandom, type SeededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { ModelObserver, type ModelCounts } from './model-counts.ts';
import { ITEM_FIELDS } from './model-schema.ts';
import { createModelWorld, type ModelDevice, type ModelRules, type ModelWorld, type Way } from './model-world.ts';

export interface ModelOptions extends ModelRules {
  readonly seed: number;
  /** With groups, deletes and submits. @defaultValue false */
  readonly isExtended?: boolean;
  /** How many of the answers to uploads are lost. @defaultValue 0.25 */
  readonly lostAnswers?: number;
}

/** How one run of the model ended. */
export interface ModelResult extends ModelCounts {
  /** Some device is not what the server is, or never came to rest. */
  readonly isDiverged: boolean;
}

const STEPS = 120;
const SHARED = 3;
/** Rounds of drain and undo after which a device that still waits counts as diverged. */
const MOST_ROUNDS = 40;

const STEPS_OF_MODEL = { edit: 39, upload: 30, poll: 17, open: 8, create: 6 } as const;
const STEPS_EXTENDED = { ...STEPS_OF_MODEL, edit: 25, group: 12, remove: 3, submit: 4 } as const;
type Step = keyof typeof STEPS_EXTENDED;

/** Runs the random model of the rules once: two devices of one user, 120 steps, then everything is undone and drained. */
export async function runModel({ seed, isExtended = false, lostAnswers = 0.25, ...rules }: ModelOptions): Promise<ModelResult> {
  const random = createSeededRandom(`model ${seed}`);
  let observer: ModelObserver | null = null;
  const world = createModelWorld(random, rules, (transaction) => observer?.commit(transaction));
  observer = new ModelObserver(world.schema, world.deviceOf);
  world.lostAnswers = lostAnswers;
  const people = new People(world, observer, random.fork('people'), isExtended);
  await people.begin();
  for (let step = 0; step < STEPS; step++) await people.act();
  world.lostAnswers = 0;
  const isAtRest = await people.settle();
  const isDiverged = !isAtRest || (await people.hasDiverged());
  for (const { engine } of world.devices) await people.call(engine.close());
  return { ...observer.counts, isDiverged };
}

class People {
  readonly #world: ModelWorld;
  readonly #observer: ModelObserver;
  readonly #random: SeededRandom;
  readonly #isExtended: boolean;
  readonly #drafts = new Map<ModelDevice, Map<string, string>>();
  #entered = 0;

  constructor(world: ModelWorld, observer: ModelObserver, random: SeededRandom, isExtended: boolean) {
    this.#world = world;
    this.#observer = observer;
    this.#random = random;
    this.#isExtended = isExtended;
  }

  /** A call that a broken rule made fail is part of the picture; one that hangs is not. */
  async call<T>(call: Promise<T>): Promise<T | null> {
    try {
      return await this.#world.time.passUntil(call, 3_600_000);
    } catch (thrown) {
      if (isFault(thrown)) return null;
      throw thrown;
    }
  }

  async begin(): Promise<void> {
    const records = Array.from({ length: SHARED }, () => ({ op: 'create' as const, object: 'item', values: { name: this.#enter(), a: this.#enter() } }));
    await this.call(this.#world.server.online.save(records));
    for (const device of this.#world.devices) {
      device.way = 'all';
      await this.call(device.engine.download());
      device.way = 'none';
      await this.#look(device);
    }
  }

  async act(): Promise<void> {
    const device = this.#random.pick(this.#world.devices);
    const step: Step = this.#random.weighted(this.#isExtended ? STEPS_EXTENDED : { ...STEPS_OF_MODEL, group: 0, remove: 0, submit: 0 });
    switch (step) {
      case 'upload': return this.#go(device, 'upload');
      case 'poll': return this.#go(device, 'feed');
      case 'edit': return this.#edit(device);
      case 'create': return this.#save(device, (engine) => engine.create('item', { name: this.#enter(), a: this.#enter() }));
      case 'open': return this.#openOrClose(device);
      case 'group': return this.#group(device);
      case 'remove': return this.#withRecord(device, this.#random.pick(['item', 'line', 'sample', 'order']), (engine, object, id) => engine.remove(object, id));
      case 'submit': return this.#submit(device);
    }
  }

  /** Undoes every sync error and drains every queue; says whether that came to an end. */
  async settle(): Promise<boolean> {
    for (const [device, drafts] of this.#drafts) for (const draft of drafts.values()) await this.call(device.engine.draft({ kind: 'discard', draft }));
    for (let round = 0; round < MOST_ROUNDS; round++) {
      let isAtRest = true;
      for (const device of this.#world.devices) {
        device.way = 'all';
        await this.call(device.engine.resolveAll('all', 'undo'));
        await this.#exchange(device);
        const status = await this.call(device.engine.status());
        if (status === null || status.pending + status.syncErrors > 0) isAtRest = false;
      }
      if (isAtRest && round > 0) return true;
    }
    return false;
  }

  /** Whether some device shows other than what is online. */
  async hasDiverged(): Promise<boolean> {
    for (const { engine } of this.#world.devices) {
      const shown = new Map<string, Readonly<Record<string, unknown>>>();
      for (const object of Object.keys(this.#world.schema.objects)) for (const { id, values } of (await this.call(engine.query({ object }))) ?? []) shown.set(`${object}/${id}`, values);
      for (const [key, { isDeleted, fields }] of this.#observer.online) {
        const values = shown.get(key);
        shown.delete(key);
        if (isDeleted ? values !== undefined : values === undefined || Object.entries(fields).some(([name, { value }]) => (values[name] ?? null) !== value)) return true;
      }
      if (shown.size > 0) return true;
    }
    return false;
  }

  async #go(device: ModelDevice, way: Way): Promise<void> {
    device.way = way;
    device.uploadsLeft = 1;
    await this.#exchange(device);
    device.way = 'none';
    await this.#look(device);
  }

  /** In the background a device sends nothing by itself. */
  async #exchange({ engine }: ModelDevice): Promise<void> {
    await this.call(engine.setLifecycle({ isForeground: true }));
    await this.call(engine.exchange());
    await this.call(engine.setLifecycle({ isForeground: false }));
  }

  /** Notes what a device shows. */
  async #look({ name, engine }: ModelDevice): Promise<void> {
    for (const { values } of (await this.call(engine.query({ object: 'item' }))) ?? []) this.#observer.show(name, values);
    // A sync error shows what is online.
    for (const { members } of (await this.call(engine.listSyncErrors())) ?? []) for (const { fields } of members) for (const { online } of fields) this.#observer.show(name, { online });
  }

  async #edit(device: ModelDevice): Promise<void> {
    this.#observer.counts.edits++;
    const object = this.#isExtended ? this.#random.weighted({ item: 75, order: 6, line: 7, call: 6, sample: 6 }) : 'item';
    const field = object === 'item' ? this.#random.pick(ITEM_FIELDS) : 'a';
    const value = field === 'amount' ? ++this.#entered : this.#enter();
    this.#observer.show(device.name, { value });
    await this.#withRecord(device, object, (engine, name, id) => engine.update(name, id, { [field]: value }));
  }

  async #group(device: ModelDevice): Promise<void> {
    const [header, child, field] = this.#random.pick([['order', 'line', 'order'], ['call', 'sample', 'call']] as const);
    if (this.#random.chance(0.5)) {
      const id = `${device.name}${++this.#entered}`;
      return this.#save(device, (engine) => engine.save([{ op: 'create', object: header, id, values: { name: this.#enter() } }, ...[1, 2].map(() => ({ op: 'create' as const, object: child, values: { [field]: id, name: this.#enter() } }))]));
    }
    await this.#withRecord(device, header, (engine, object, id) => engine.save([{ op: 'update', object, id, values: { a: this.#enter() } }, { op: 'create', object: child, values: { [field]: id, name: this.#enter() } }]));
  }

  async #submit(device: ModelDevice): Promise<void> {
    const [object, status] = this.#random.pick([['order', 'sent'], ['call', 'submitted']] as const);
    await this.#withRecord(device, object, (engine, name, id) => engine.update(name, id, { status }));
  }

  /** Opens a record, which keeps it as it is shown, or closes it again. */
  async #openOrClose(device: ModelDevice): Promise<void> {
    const drafts = this.#drafts.get(device) ?? new Map<string, string>();
    this.#drafts.set(device, drafts);
    const [opened] = [...drafts.keys()];
    if (opened !== undefined && this.#random.chance(0.5)) {
      await this.call(device.engine.draft({ kind: 'discard', draft: drafts.get(opened)! }));
      drafts.delete(opened);
      return this.#look(device);
    }
    const records = (await this.call(device.engine.query({ object: 'item' }))) ?? [];
    if (records.length === 0) return;
    const { id } = this.#random.pick(records);
    if (drafts.has(id)) return;
    const draft = await this.call(device.engine.draft({ kind: 'open', object: 'item', id }));
    if (draft !== null && 'recordId' in draft) drafts.set(id, draft.id);
  }

  async #withRecord(device: ModelDevice, object: string, save: (engine: SyncEngine, object: string, id: string) => Promise<unknown>): Promise<void> {
    const records = (await this.call(device.engine.query({ object }))) ?? [];
    if (records.length > 0) await this.#save(device, (engine) => save(engine, object, this.#random.pick(records).id));
  }

  async #save({ engine }: ModelDevice, save: (engine: SyncEngine) => Promise<unknown>): Promise<void> {
    await this.call(save(engine));
  }

  #enter(): string {
    return `v${++this.#entered}`;
  }
}

