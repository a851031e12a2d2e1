import type { RecordView, SyncEngine } from '../../../src/client/engine.ts';
import type { SimulatedDevice } from '../../../src/testing/simulation/simulated-device.ts';
import { OBJECTS, type ObjectName } from '../crm.ts';
import type { DeviceMirror } from '../oracle/device-mirror.ts';
import { sameValues } from '../oracle/online-history.ts';
import type { Action } from '../swarm.ts';
import type { World } from '../world.ts';
import { editOnline, onlineCreate, unlock } from './back-office.ts';
import { Desk, idOf, NETWORK, objectOf } from './desk.ts';
import { workOnDraft } from './drafts.ts';
import { workOnHandle, type Closers } from './handles.ts';
import { move, saveGroup, submit } from './groups.ts';
import { create, recreate, remove, restore, update } from './single-records.ts';
import { acknowledge, resolveAll, resolveOne } from './sync-errors.ts';

const DAY_MS = 86_400_000;

/** The people of a simulation: what they do on their devices and in the back office, and what befalls the devices. */
export class Workload {
  readonly #world: World;
  readonly #desk: Desk;
  /** Calls that have to answer once the network does, by the client that they were made on. */
  readonly #exchanges = new Map<SyncEngine, number>();
  /** What the last emission of a live query said. */
  readonly #live = new Map<SyncEngine, Map<ObjectName, readonly RecordView[]>>();

  /** Ends what is open. */
  readonly #closers: Closers = new Map();

  constructor(world: World) {
    this.#world = world;
    this.#desk = new Desk(world);
  }

  get #random(): Desk['random'] {
    return this.#desk.random;
  }

  /** Fills the back office, starts the devices and gives most of them their first download. */
  async begin(): Promise<void> {
    const { server, devices, swarm, time } = this.#world;
    const objects = [...Array.from({ length: swarm.accounts }, () => 'account' as const), 'memo' as const, ...OBJECTS.filter((object) => swarm.objects[object] > 0)];
    // One after another: members of groups need their headers, and masters are picked from what is there.
    for (const object of objects) {
      const change = onlineCreate(this.#desk, object);
      if (change !== null) await time.passUntil(server.online.save([change]), 1_000);
    }
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
    const desk = this.#desk;
    const { engine } = device;
    switch (action) {
      case 'online': return editOnline(desk);
      case 'unlock': return unlock(desk);
      case 'serverCrash': return this.#world.server.crash();
      case 'longAbsence': return this.#beAway();
      case 'rest': return this.#random.integer(20_000, 180_000);
      case 'clockJump': return this.#world.setClock(device.name, Math.round((this.#random.next() - 0.5) * 20 * 365 * DAY_MS));
      case 'wipe': return device.wipe();
    }
    if (engine === null) return;
    switch (action) {
      case 'update': return update(desk, device);
      case 'create': return create(desk, device);
      case 'remove': return remove(desk, device);
      case 'recreate': return recreate(desk, device);
      case 'restore': return restore(desk, device);
      case 'group': return saveGroup(desk, device);
      case 'submit': return submit(desk, device);
      case 'move': return move(desk, device);
      case 'undo': return resolveOne(desk, device, 'undo');
      case 'resolve': return resolveOne(desk, device);
      case 'resolveAll': return resolveAll(desk, device);
      case 'acknowledge': return acknowledge(desk, device);
      case 'draft': return workOnDraft(desk, device);
      case 'handle': return workOnHandle(desk, device, this.#closers);
      case 'read': return this.#read(device, engine);
      case 'query': return this.#query(device, engine);
      case 'fetch': return this.#fetch(device, engine);
      case 'download': return desk.expect(device, engine.download(), NETWORK);
      case 'wake': return desk.expect(device, engine.wake());
      case 'exchange': return this.#exchange(device, engine);
      case 'secondTab': return void this.#start(device);
      case 'goOffline': return this.#goOffline(device, engine);
      case 'goOnline': return this.#goOnline(device, engine);
      case 'background': return this.#putAway(device, engine, 'in the background');
      case 'crash': return device.crash();
      case 'restart': return desk.expect(device, engine.close().then(() => { if (device.engine === engine) this.#start(device); }));
    }
  }

  /** Brings everybody back to their desks. */
  recover(): void {
    this.#desk.isOver = true;
    for (const device of this.#world.devices) {
      device.isConnected = true;
      // With two tabs, the one that opened the store last may not be the one that was opened last.
      if (this.#world.swarm.actions.secondTab > 0) device.crash();
      this.#leaveAll(device);
      const engine = device.engine ?? device.start();
      this.#world.oracle.polls.release(device.name);
      this.#desk.expect(device, engine.setLifecycle({ isOnline: true, isForeground: true }));
      this.#desk.expect(device, engine.wake());
    }
  }

  /** Everybody leaves what is open. */
  #leaveAll(device: SimulatedDevice): void {
    const own = device.engine && this.#closers.get(device.engine);
    for (const [handle, end] of own ?? []) {
      this.#desk.mirror(device).handles.close(handle);
      end();
    }
    own?.clear();
  }

  #start(device: SimulatedDevice): SyncEngine {
    this.#world.oracle.mirrorOf(device.name)?.handles.forget();
    this.#world.oracle.polls.release(device.name);
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
    for (const object of OBJECTS) {
      if (this.#world.swarm.objects[object] > 0) this.#desk.expect(device, engine.watchQuery({ object }, (records) => void heard.set(object, records)));
    }
  }

  #exchange(device: SimulatedDevice, engine: SyncEngine): void {
    this.#exchanges.set(engine, (this.#exchanges.get(engine) ?? 0) + 1);
    this.#desk.expect(device, engine.exchange().finally(() => this.#exchanges.set(engine, this.#exchanges.get(engine)! - 1)));
  }

  /** Calls of a client that wait for the network, and have not answered. */
  unansweredBy(engine: SyncEngine): number {
    return this.#exchanges.get(engine) ?? 0;
  }

  /** What a live query of a client last showed; `null` when nobody watches. */
  shownBy(engine: SyncEngine, object: ObjectName): readonly RecordView[] | null {
    return this.#live.get(engine)?.get(object) ?? null;
  }

  #read(device: SimulatedDevice, engine: SyncEngine): void {
    this.#readStatus(device, engine);
    const mirror = this.#desk.mirror(device);
    const key = this.#random.pick([...this.#world.oracle.history.keys()]);
    const touches = mirror.touches(key), { revision } = mirror;
    const reading = engine.get(objectOf(key), idOf(key)).then((record) => {
      this.#checkWhole(device, mirror, revision);
      if (this.#desk.mirror(device) !== mirror || mirror.touches(key) !== touches) return;
      const view = mirror.view(key);
      if (!sameValues(record?.values ?? null, view)) this.#world.oracle.fail('monotonic-view', `${device.name} reads ${key} as ${JSON.stringify(record?.values)}, and it is stored as ${JSON.stringify(view)}`);
    });
    this.#desk.expect(device, reading);
  }

  /** The status counts what waits, and says since when. */
  #readStatus(device: SimulatedDevice, engine: SyncEngine): void {
    const mirror = this.#desk.mirror(device);
    const { commits } = mirror;
    // Behind a read the client has all in memory that it has written.
    const reading = engine.get('account', 'nobody').then(() => engine.status()).then(({ parked, oldestParkedAt }) => {
      if (this.#desk.mirror(device) !== mirror || mirror.commits !== commits || device.engine !== engine) return;
      const { waiting } = mirror;
      if (parked !== waiting.parked || oldestParkedAt !== waiting.oldestParkedAt) this.#world.oracle.fail('honest-status', `${device.name} says that ${parked} groups wait since ${oldestParkedAt}, and it is ${waiting.parked} since ${waiting.oldestParkedAt}`);
    });
    this.#desk.expect(device, reading);
  }

  #query(device: SimulatedDevice, engine: SyncEngine): void {
    const mirror = this.#desk.mirror(device);
    const object = this.#desk.pickObject();
    const { revision } = mirror;
    const reading = engine.query({ object }).then((records) => {
      this.#checkWhole(device, mirror, revision);
      if (this.#desk.mirror(device) !== mirror || mirror.revision !== revision) return;
      const found = records.map(({ id }) => `${object}/${id}`).sort(), shown = [...mirror.shown(object)].sort();
      if (found.join() !== shown.join()) this.#world.oracle.fail('monotonic-view', `${device.name} finds ${found.join()}, and stored are ${shown.join()}`);
    });
    this.#desk.expect(device, reading);
  }

  /** Rules A31, A35: who reads between two commits of a download, or of a large transaction, sees half of it. */
  #checkWhole(device: SimulatedDevice, mirror: DeviceMirror, revision: number): void {
    if (this.#desk.mirror(device) === mirror && mirror.revision === revision && mirror.isHalf) this.#world.oracle.fail('half-merged', `${device.name} answers a read while what came in is half applied`);
  }

  #fetch(device: SimulatedDevice, engine: SyncEngine): void {
    const key = this.#random.pick([...this.#world.oracle.history.keys()]);
    this.#desk.expect(device, engine.fetch(objectOf(key), idOf(key)), NETWORK);
  }

  #goOffline(device: SimulatedDevice, engine: SyncEngine): void {
    device.isConnected = false;
    if (this.#random.chance(0.5)) this.#putAway(device, engine, 'offline');
  }

  /** Tells a client that it has nothing to ask for now. An older tab of the device is not told. */
  #putAway(device: SimulatedDevice, engine: SyncEngine, why: 'in the background' | 'offline'): void {
    const { oracle, swarm } = this.#world;
    const isSilent = oracle.polls.silence(device.name, why);
    const told = engine.setLifecycle(why === 'offline' ? { isOnline: false } : { isForeground: false });
    this.#desk.expect(device, told.then(() => void (swarm.actions.secondTab === 0 && device.engine === engine && isSilent())));
  }

  #goOnline(device: SimulatedDevice, engine: SyncEngine): void {
    device.isConnected = true;
    this.#world.oracle.polls.release(device.name);
    this.#desk.expect(device, engine.setLifecycle({ isOnline: true, isForeground: true }));
  }

  /** A week of holidays, give or take: the feed keeps seven days. */
  #beAway(): number {
    for (const device of this.#world.devices) if (device.engine !== null && this.#random.chance(0.8)) this.#goOffline(device, device.engine);
    for (const device of this.#world.devices) if (device.engine !== null) this.#putAway(device, device.engine, 'in the background');
    return this.#random.pick([6 * DAY_MS, 7 * DAY_MS - 60_000, 7 * DAY_MS + 60_000, 9 * DAY_MS]);
  }
}
