import type { RecordView, SaveReceipt, SyncEngine, SyncError } from '../../src/client/engine.ts';
import type { FieldValue } from '../../src/schema.ts';
import type { OnlineChange } from '../../src/server/index.ts';
import { isFault, type FaultCode } from '../../src/shared/fault.ts';
import type { SeededRandom } from '../../src/testing/simulation/seeded-random.ts';
import type { SimulatedDevice } from '../../src/testing/simulation/simulated-device.ts';
import { DEVICE_FIELDS, OBJECTS, schema, UNWANTED, type ObjectName } from './crm.ts';
import type { IntendedChange } from './oracle/intents.ts';
import type { DeviceMirror } from './oracle/device-mirror.ts';
import { isSame, sameValues } from './oracle/online-history.ts';
import { decisionOn } from './oracle/saves.ts';
import type { Action } from './swarm.ts';
import type { World } from './world.ts';

const DAY_MS = 86_400_000;

/** Faults that any call may meet in bad weather. */
const WEATHER: readonly FaultCode[] = ['STORAGE_FULL', 'STORAGE_FAILED', 'CLIENT_CLOSED', 'CLIENT_TAKEN_OVER'];
const NETWORK: readonly FaultCode[] = ['TRANSPORT_UNREACHABLE', 'TRANSPORT_TIMEOUT', 'TRANSPORT_ABORTED', 'TRANSPORT_BAD_ANSWER', 'TRANSPORT_BUSY', 'AUTH_REQUIRED', 'SERVER_FAILED', 'SERVER_BUSY', 'DOWNLOAD_FAILED'];

/** The people of a simulation: what they do on their devices and in the back office. Every value that they enter is entered once. */
export class Workload {
  readonly #world: World;
  readonly #random: SeededRandom;
  /** Calls that have to answer once the network does, by the client that they were made on. */
  readonly #exchanges = new Map<SyncEngine, number>();
  /** What the last emission of a live query said. */
  readonly #live = new Map<SyncEngine, Map<ObjectName, readonly RecordView[]>>();
  #entered = 0;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random.fork('workload');
  }

  /** Fills the back office, starts the devices and gives most of them their first download. */
  async begin(): Promise<void> {
    const { server, devices, swarm, time } = this.#world;
    const accounts = Array.from({ length: swarm.accounts }, () => this.#onlineCreate('account'));
    await time.passUntil(server.online.save([...accounts, this.#onlineCreate('order'), this.#onlineCreate('memo'), this.#onlineCreate('memo')]), 1_000);
    for (const device of devices) {
      const engine = this.#start(device);
      await time.passUntil(engine.ready, 1_000);
      if (this.#random.chance(0.85)) await time.passUntil(engine.download(), 60_000);
    }
  }

  /** Does one thing; answers how long to let pass after it. */
  act(): number {
    const { swarm, devices, trace } = this.#world;
    const action = this.#random.weighted(swarm.actions);
    const device = this.#random.pick(devices);
    if (device.engine === null && this.#random.chance(0.4)) this.#start(device);
    trace.note(device.name, `* ${action}`);
    return this.#do(action, device) ?? this.#random.exponential(swarm.gapMs);
  }

  #do(action: Action, device: SimulatedDevice): number | void {
    const { engine } = device;
    switch (action) {
      case 'online': return this.#editOnline();
      case 'serverCrash': return this.#world.server.crash();
      case 'longAbsence': return this.#beAway();
      case 'rest': return this.#random.integer(20_000, 180_000);
      case 'clockJump': return this.#world.setClock(device.name, Math.round((this.#random.next() - 0.5) * 20 * 365 * DAY_MS));
      case 'wipe': return device.wipe();
    }
    if (engine === null) return;
    switch (action) {
      case 'update': return this.#update(device, engine);
      case 'create': return this.#create(device, engine);
      case 'remove': return this.#remove(device, engine);
      case 'recreate': return this.#recreate(device, engine);
      case 'undo': return this.#undo(device, engine);
      case 'read': return this.#read(device, engine);
      case 'query': return this.#query(device, engine);
      case 'fetch': return this.#fetch(device, engine);
      case 'download': return this.#expect(device, engine.download(), NETWORK);
      case 'wake': return this.#expect(device, engine.wake());
      case 'exchange': return this.#exchange(device, engine);
      case 'secondTab': return void this.#start(device);
      case 'goOffline': return this.#goOffline(device, engine);
      case 'goOnline': return this.#goOnline(device, engine);
      case 'background': return this.#expect(device, engine.setLifecycle({ isForeground: false }));
      case 'crash': return device.crash();
      case 'restart': return this.#expect(device, engine.close().then(() => { if (device.engine === engine) this.#start(device); }));
    }
  }

  /** Brings everybody back to their desks. */
  recover(): void {
    for (const device of this.#world.devices) {
      device.isConnected = true;
      // With two tabs, the one that opened the store last may not be the one that was opened last.
      if (this.#world.swarm.actions.secondTab > 0) device.crash();
      const engine = device.engine ?? device.start();
      this.#expect(device, engine.setLifecycle({ isOnline: true, isForeground: true }));
      this.#expect(device, engine.wake());
    }
  }

  #start(device: SimulatedDevice): SyncEngine {
    const engine = device.start();
    this.#world.trace.note(device.name, 'started');
    // A store that could not be opened is opened again by the next life.
    engine.ready.catch(() => device.engine === engine && device.crash());
    if (this.#random.chance(0.5)) this.#watch(device, engine);
    return engine;
  }

  #watch(device: SimulatedDevice, engine: SyncEngine): void {
    const heard = new Map<ObjectName, readonly RecordView[]>();
    this.#live.set(engine, heard);
    for (const object of OBJECTS) this.#expect(device, engine.watchQuery({ object }, (records) => void heard.set(object, records)));
  }

  #exchange(device: SimulatedDevice, engine: SyncEngine): void {
    this.#exchanges.set(engine, (this.#exchanges.get(engine) ?? 0) + 1);
    this.#expect(device, engine.exchange().finally(() => this.#exchanges.set(engine, this.#exchanges.get(engine)! - 1)));
  }

  /** Calls of a client that wait for the network, and have not answered. */
  unansweredBy(engine: SyncEngine): number {
    return this.#exchanges.get(engine) ?? 0;
  }

  /** What a live query of a client last showed; `null` when nobody watches. */
  shownBy(engine: SyncEngine, object: ObjectName): readonly RecordView[] | null {
    return this.#live.get(engine)?.get(object) ?? null;
  }

  #update(device: SimulatedDevice, engine: SyncEngine): void {
    const object = this.#pickObject();
    const key = this.#pickShown(device, object);
    if (key === null) return;
    const values: Record<string, FieldValue> = {};
    for (let fields = this.#random.pick([1, 1, 1, 2, 3]); fields > 0; fields--) {
      const field = this.#pickField(object);
      const value = this.#value(device.owner.user, device, object, field);
      if (value !== null || !isRequired(object, field)) values[field] = value;
    }
    const id = idOf(key);
    const serverId = this.#random.chance(0.05) ? this.#mirror(device).view(key)?.serverId : null;
    this.#save(device, [{ op: 'update', object, id, values }], () => engine.update(object, typeof serverId === 'string' ? serverId : id, values));
  }

  #create(device: SimulatedDevice, engine: SyncEngine): void {
    const object = this.#pickObject();
    const values = this.#newValues(device.owner.user, device, object);
    if (values !== null) this.#save(device, [{ op: 'create', object, id: null, values }], () => engine.create(object, values));
  }

  #remove(device: SimulatedDevice, engine: SyncEngine): void {
    const object = this.#pickObject();
    const key = this.#pickShown(device, object);
    if (key !== null) this.#save(device, [{ op: 'remove', object, id: idOf(key), values: {} }], () => engine.remove(object, idOf(key)));
  }

  /** Creates a record under an id that was in use: taken back, or a host that makes its own ids. */
  #recreate(device: SimulatedDevice, engine: SyncEngine): void {
    const gone = [...this.#world.oracle.history.keys()].filter((key) => this.#mirror(device).view(key) === null);
    if (gone.length === 0) return;
    const key = this.#random.pick(gone);
    const object = objectOf(key);
    const values = this.#newValues(device.owner.user, device, object);
    if (values !== null) this.#save(device, [{ op: 'create', object, id: idOf(key), values }], () => engine.create(object, values, idOf(key)));
  }

  /** Saves, and holds the device to what it answers. */
  #save(device: SimulatedDevice, changes: readonly IntendedChange[], call: () => Promise<SaveReceipt>): void {
    const { oracle } = this.#world;
    const mirror = this.#mirror(device);
    const engine = device.engine!;
    const end = oracle.intend(device.name, { kind: 'save', changes });
    const done = call().then((receipt) => {
      if (this.#mirror(device) !== mirror || receipt.entry === null) return;
      oracle.acknowledge(device.name, receipt.entry, changes.map(({ object, id, values }) => ({ key: `${object}/${id ?? receipt.id}`, values })));
      if (this.#random.chance(0.3)) this.#follow(device, engine, receipt.entry);
    });
    this.#expect(device, done.finally(end), ['RECORD_MISSING', 'RECORD_EXISTS', 'CHANGE_TOO_LARGE']);
  }

  /** Waits for the outcome of a save, and compares it with what really became of it. */
  #follow(device: SimulatedDevice, engine: SyncEngine, seq: number): void {
    const { oracle } = this.#world;
    const save = oracle.saves.all.findLast((known) => known.device === device.name && known.seq === seq)!;
    const told = engine.outcome(seq).then(({ kind }) => {
      const isTrue = kind === 'refused' ? decisionOn(save) === 'refused' || save.place === 'failed' : save.place === kind;
      if (!isTrue) oracle.fail('honest-status', `${device.name} was told that save ${seq} is ${kind}, and it is ${save.place}`);
    });
    this.#expect(device, told);
  }

  #undo(device: SimulatedDevice, engine: SyncEngine): void {
    const mirror = this.#mirror(device);
    const end = this.#world.oracle.intend(device.name, { kind: 'resolve', action: 'undo', entry: 'all' });
    const undone = engine.listSyncErrors().then(async (errors) => {
      for (const error of errors) this.#checkShown(device, mirror, error);
      if (errors.length > 0) await engine.undo(this.#random.pick(errors).id);
    });
    this.#expect(device, undone.finally(end), [...NETWORK, 'SYNC_ERROR_UNKNOWN']);
  }

  /** A sync error shows what the user entered. */
  #checkShown(device: SimulatedDevice, mirror: DeviceMirror, { id, object, recordId, fields }: SyncError): void {
    const save = this.#mirror(device) === mirror ? mirror.queue.save(id) : null;
    for (const { field, mine } of save === null ? [] : fields) {
      const entered = save!.members.find(({ object: name, id: own }) => name === object && own === recordId)?.fields.get(field)?.next;
      if (!isSame(mine, entered)) this.#world.oracle.fail('undo', `the sync error ${id} of ${device.name} shows ${field} as ${JSON.stringify(mine)}, and ${JSON.stringify(entered)} was entered`);
    }
  }

  #read(device: SimulatedDevice, engine: SyncEngine): void {
    const mirror = this.#mirror(device);
    const key = this.#random.pick([...this.#world.oracle.history.keys()]);
    const touches = mirror.touches(key);
    const reading = engine.get(objectOf(key), idOf(key)).then((record) => {
      if (this.#mirror(device) !== mirror || mirror.touches(key) !== touches) return;
      const view = mirror.view(key);
      if (!sameValues(record?.values ?? null, view)) this.#world.oracle.fail('monotonic-view', `${device.name} reads ${key} as ${JSON.stringify(record?.values)}, and it is stored as ${JSON.stringify(view)}`);
    });
    this.#expect(device, reading);
  }

  #query(device: SimulatedDevice, engine: SyncEngine): void {
    const mirror = this.#mirror(device);
    const object = this.#pickObject();
    const { revision } = mirror;
    const reading = engine.query({ object }).then((records) => {
      if (this.#mirror(device) !== mirror || mirror.revision !== revision) return;
      const found = records.map(({ id }) => `${object}/${id}`).sort(), shown = [...mirror.shown(object)].sort();
      if (found.join() !== shown.join()) this.#world.oracle.fail('monotonic-view', `${device.name} finds ${found.join()}, and stored are ${shown.join()}`);
    });
    this.#expect(device, reading);
  }

  #fetch(device: SimulatedDevice, engine: SyncEngine): void {
    const key = this.#random.pick([...this.#world.oracle.history.keys()]);
    this.#expect(device, engine.fetch(objectOf(key), idOf(key)), NETWORK);
  }

  #goOffline(device: SimulatedDevice, engine: SyncEngine): void {
    device.isConnected = false;
    if (this.#random.chance(0.5)) this.#expect(device, engine.setLifecycle({ isOnline: false }));
  }

  #goOnline(device: SimulatedDevice, engine: SyncEngine): void {
    device.isConnected = true;
    this.#expect(device, engine.setLifecycle({ isOnline: true, isForeground: true }));
  }

  /** A week of holidays, give or take: the feed keeps seven days. */
  #beAway(): number {
    for (const device of this.#world.devices) if (device.engine !== null && this.#random.chance(0.8)) this.#goOffline(device, device.engine);
    for (const device of this.#world.devices) if (device.engine !== null) this.#expect(device, device.engine.setLifecycle({ isForeground: false }));
    return this.#random.pick([6 * DAY_MS, 7 * DAY_MS - 60_000, 7 * DAY_MS + 60_000, 9 * DAY_MS]);
  }

  #editOnline(): void {
    const { server, oracle } = this.#world;
    const change = this.#onlineChange();
    if (change === null) return;
    server.online.save([change]).catch((thrown: unknown) => {
      if (!isFault(thrown, 'STORAGE_FAILED')) oracle.fail('unexpected-fault', `the back office met ${String(thrown)}`);
    });
  }

  #onlineChange(): OnlineChange | null {
    const object = this.#pickObject();
    const live = [...this.#world.oracle.history.keys()].filter((key) => objectOf(key) === object && !this.#world.oracle.history.current(key)!.isDeleted);
    if (live.length === 0 || this.#random.chance(0.15)) return this.#onlineCreate(object);
    const id = idOf(this.#random.chance(this.#world.swarm.hotness) ? live[0]! : this.#random.pick(live));
    if (this.#random.chance(0.1)) return { op: 'remove', object, id };
    const field = this.#pickField(object);
    return { op: 'update', object, id, values: { [field]: this.#value('u1', null, object, field) } };
  }

  #onlineCreate(object: ObjectName): OnlineChange {
    const user = this.#random.pick(this.#world.devices).owner.user;
    const values = this.#newValues(user, null, object) ?? {};
    return { op: 'create', object, values };
  }

  #newValues(user: string, device: SimulatedDevice | null, object: ObjectName): Record<string, FieldValue> | null {
    const values: Record<string, FieldValue> = {};
    for (const field of DEVICE_FIELDS[object]!) {
      const required = isRequired(object, field);
      if (required || this.#random.chance(0.4)) values[field] = object === 'memo' && field === 'owner' ? user : this.#value(user, device, object, field);
      if (required && values[field] === null) return null;
    }
    return values;
  }

  /** A value that nobody entered before, where the field's type allows it. */
  #value(user: string, device: SimulatedDevice | null, object: ObjectName, field: string): FieldValue {
    const { type, required, options, target } = schema.objects[object].fields[field as never] as { type: string; required: boolean; options?: readonly string[]; target?: string };
    if (!required && this.#random.chance(0.1)) return null;
    const entered = ++this.#entered;
    if (object === 'memo' && field === 'owner') return this.#random.chance(0.3) ? this.#random.pick(this.#world.devices).owner.user : user;
    if (type === 'multiPicklist') return options!.filter((option) => option === 'gift' || this.#random.chance(0.5)).toSorted();
    if (options !== undefined) return this.#random.pick(options);
    if (target !== undefined) return this.#pickTarget(device, target);
    if (type === 'integer') return entered;
    if (type === 'decimal') return `${entered}.5`;
    if (type === 'dateTime') return new Date(Date.UTC(2026, 0, 1) + entered * 60_000).toISOString();
    if (type === 'json') return { by: user, entered, path: [entered, null, { deep: true }] };
    if (this.#random.chance(0.03)) return `v${entered} ${'long '.repeat(this.#random.integer(20, 120))}.`;
    return `v${entered}${device !== null && field === 'name' && this.#random.chance(0.04) ? UNWANTED : ''}`;
  }

  #pickTarget(device: SimulatedDevice | null, target: string): string | null {
    if (device !== null) {
      const key = this.#pickShown(device, target);
      return key === null ? null : idOf(key);
    }
    const live = [...this.#world.oracle.history.keys()].filter((key) => objectOf(key) === target && !this.#world.oracle.history.current(key)!.isDeleted);
    return live.length === 0 ? null : idOf(this.#random.pick(live));
  }

  /** In a focused run everybody edits the same few fields: that is where edits meet. */
  #pickField(object: ObjectName): string {
    const { favourites, focus } = this.#world.swarm;
    return this.#random.pick(this.#random.chance(focus) ? favourites[object]! : DEVICE_FIELDS[object]!);
  }

  #pickObject(): ObjectName {
    return this.#random.weighted({ account: 55, visit: 20, order: 15, memo: 10 });
  }

  #pickShown(device: SimulatedDevice, object: string): string | null {
    const shown = [...this.#mirror(device).shown(object)];
    if (shown.length === 0) return null;
    const hot = shown.sort().slice(0, 2);
    return this.#random.pick(this.#random.chance(this.#world.swarm.hotness) ? hot : shown);
  }

  #mirror(device: SimulatedDevice): DeviceMirror {
    return this.#world.oracle.mirror(device.name);
  }

  /** A call may end well, never end because its device is gone, or fail for a reason that the weather explains. */
  #expect(device: SimulatedDevice, call: Promise<unknown>, also: readonly FaultCode[] = []): void {
    call.catch((thrown: unknown) => {
      this.#world.trace.note(device.name, 'call failed', String(thrown));
      if (isFault(thrown) && (WEATHER.includes(thrown.code) || also.includes(thrown.code))) return;
      this.#world.oracle.fail('unexpected-fault', `${device.name} met ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
    });
  }
}

function isRequired(object: ObjectName, field: string): boolean {
  return (schema.objects[object].fields[field as never] as { readonly required: boolean }).required;
}

function objectOf(key: string): ObjectName {
  return OBJECTS.find((object) => key.startsWith(`${object}/`))!;
}

function idOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}
