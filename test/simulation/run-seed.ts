import type { SyncEngine } from '../../src/client/engine.ts';
import type { SimulatedDevice } from '../../src/testing/simulation/simulated-device.ts';
import { isFault, type FaultCode } from '../../src/shared/fault.ts';
import { compareVersions, NO_VERSION } from '../../src/protocol/version.ts';
import { OBJECTS } from './crm.ts';
import { isDownloaded, isShown, sameValues } from './oracle/online-history.ts';
import { decisionOn, describeSave } from './oracle/saves.ts';
import type { Violation } from './oracle/violation.ts';
import { createTrace, type Trace } from './trace.ts';
import { Workload } from './workload/workload.ts';
import { createWorld, type PlantedRules, type World } from './world.ts';

export interface SeedOptions {
  readonly seed: number;
  readonly rules?: PlantedRules;
  readonly trace?: Trace;
}

/** How a seed ended. */
export interface SeedResult {
  readonly seed: number;
  /** `null` when every promise was kept. */
  readonly violation: Violation | null;
  readonly saves: number;
  readonly requests: number;
  readonly virtualMs: number;
  readonly trace: Trace;
}

/** How long the network may need to settle everything once it works, in virtual time. */
const QUIET_WITHIN_MS = 3_600_000;
/** Requests that a device may make while it settles, besides what each of its waiting saves takes. */
const REQUESTS_WHILE_QUIET = 400;

/** Runs one seed: people at work in bad weather, then calm, then the comparison. */
export async function runSeed({ seed, rules, trace = createTrace() }: SeedOptions): Promise<SeedResult> {
  const world = createWorld({ seed, trace, ...(rules === undefined ? {} : { rules }) });
  const workload = new Workload(world);
  const { oracle } = world;
  try {
    await workload.begin();
    world.storm();
    for (let step = 0; step < world.swarm.steps && oracle.violation === null; step++) await world.time.pass(workload.act());
    world.calm();
    if (oracle.violation === null) await settle(world, workload);
    if (oracle.violation === null) checkSettled(world);
    // A request of the storm may still wait for its deadline.
    await world.time.pass(40_000);
    if (oracle.violation === null) await checkConverged(world, workload);
    if (oracle.violation === null) checkRollUps(world);
  } catch (thrown) {
    oracle.fail('unexpected-fault', thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  }
  return { seed, violation: oracle.violation, saves: oracle.saves.all.length, requests: world.network.requests, virtualMs: world.time.elapsed, trace };
}

/** Lets everything come to rest: queues drained, errors taken back, feeds read. */
async function settle(world: World, workload: Workload): Promise<void> {
  const { oracle, time, devices, network } = world;
  const waiting = devices.reduce((count, { name }) => count + oracle.mirror(name).queue.size, 0);
  const most = network.requests + devices.length * REQUESTS_WHILE_QUIET + waiting * 4;
  const until = time.elapsed + QUIET_WITHIN_MS;
  workload.recover();
  while (oracle.violation === null) {
    await time.pass(20_000);
    // What was decided in the storm may have ended a process only now.
    if (devices.some(({ engine }) => engine === null)) workload.recover();
    for (const device of devices) {
      if (oracle.mirror(device.name).drafts.ids.length > 0) await endDrafts(world, device);
      await resolveAll(world, device);
      // A refusal of the token may still have been on its way when the user signed in.
      if ((await time.passUntil(device.engine!.status(), 1_000)).needsAuth) await device.engine!.wake();
    }
    if (devices.every((device) => isAtRest(world, workload, device))) return;
    if (network.requests > most) return oracle.fail('liveness', `${network.requests} requests, and not at rest: ${restlessness(world, workload)}`);
    if (time.elapsed > until) return oracle.fail('liveness', `not at rest after ${QUIET_WITHIN_MS / 60_000} minutes of calm: ${restlessness(world, workload)}`);
  }
}

/** Drafts are there as they were left; half of them are saved, half given up. */
async function endDrafts({ time, oracle, trace }: World, { name, engine }: SimulatedDevice): Promise<void> {
  const found = await time.passUntil(engine!.draft({ kind: 'list' }), 1_000);
  const ids = 'length' in found ? found.map((draft) => draft.id) : [];
  const known = oracle.mirror(name).drafts.ids;
  if ([...ids].sort().join() !== [...known].sort().join()) oracle.fail('drafts', `${name} lists the drafts ${ids.join()}, and stored are ${known.join()}`);
  for (const [index, draft] of ids.entries()) {
    for (const kind of index % 2 === 0 ? (['save', 'discard'] as const) : (['discard'] as const)) {
      const end = oracle.intend(name, { kind: `draft:${kind}`, draft });
      // One that cannot be saved as it is stays, and is given up.
      await time.passUntil(engine!.draft({ kind, draft }), 60_000).catch((thrown: unknown) => trace.note(name, 'call failed', String(thrown)));
      end();
    }
  }
}

/** The error went or became another one, or the client is still about to close. */
const RESOLVED_MEANWHILE: readonly FaultCode[] = ['SYNC_ERROR_UNKNOWN', 'SYNC_ERROR_ACTION_UNAVAILABLE', 'CLIENT_CLOSED', 'STORAGE_CLOSED'];

/** Half of what was refused is taken back, half is kept against what is online, where that can be. */
async function resolveAll({ time, oracle, trace }: World, device: SimulatedDevice): Promise<void> {
  const engine = device.engine!;
  const errors = await time.passUntil(engine.listSyncErrors(), 1_000);
  for (const { id, actions } of errors) {
    const action = id % 2 === 0 && actions.includes('keepMine') ? 'keepMine' : 'undo';
    trace.note(device.name, `* ${action} ${id}`);
    const end = oracle.intend(device.name, { kind: 'resolve', action, entry: id });
    await time.passUntil(engine.resolve(id, action), 60_000).catch((thrown: unknown) => {
      if (!isFault(thrown) || !RESOLVED_MEANWHILE.includes(thrown.code)) oracle.fail('unexpected-fault', `${device.name} cannot ${action} ${id}: ${String(thrown)}`);
    });
    end();
  }
}

/** A request of the storm whose answer was lost keeps its call waiting until its deadline. */
function isAtRest({ oracle }: World, workload: Workload, { name, owner, engine }: SimulatedDevice): boolean {
  const mirror = oracle.mirror(name);
  return workload.unansweredBy(engine!) === 0 && mirror.queue.size === 0 && mirror.meta?.cursor?.position === oracle.history.feed(owner.user).length;
}

function restlessness({ oracle, devices }: World, workload: Workload): string {
  return devices
    .map(({ name, owner, engine }) => {
      const mirror = oracle.mirror(name);
      const [first] = mirror.queue.saves;
      return `${name} has ${mirror.queue.size} waiting${first === undefined ? '' : ` (first: ${describeSave(first)}, ${first.place}, ${decisionOn(first)})`}, ${workload.unansweredBy(engine!)} calls of exchange under way, and reads ${String(mirror.meta?.cursor?.position)} of ${oracle.history.feed(owner.user).length}`;
    })
    .join('; ');
}

/** What must be so once all is quiet, before a download could hide it. */
function checkSettled({ oracle, devices }: World): void {
  const { history } = oracle;
  for (const { name, owner } of devices) {
    const mirror = oracle.mirror(name);
    mirror.checkReleased();
    // What a page came without is missing until a download brings it.
    const isShort = oracle.withheldFrom(owner.user).size > 0;
    if (!isShort && mirror.sideCount > mirror.orphanCount && mirror.meta?.hasFeedGap !== true) oracle.fail('convergence', `${name} keeps ${mirror.sideCount} images aside, and nothing waits: ${mirror.describeAside()}`);
    for (const [position, row] of history.feed(owner.user).entries()) {
      if (isShort || mirror.meta?.hasFeedGap === true) break;
      for (const [key, version] of row.records) {
        const base = mirror.base(key);
        const isBehind = compareVersions(base?.version ?? NO_VERSION, version) < 0;
        if (isBehind && !(base?.state !== 'live' && history.wasGone(key, version, owner.user))) {
          oracle.fail('convergence', `${name} holds ${key} at version ${String(base?.version)}; position ${position + 1} of its feed had ${String(version)}`);
        }
      }
    }
  }
  for (const save of oracle.saves.all) {
    if (save.place === 'queue' || save.place === 'failed') oracle.fail('no-lost-write', `${describeSave(save)} is ${save.place}, and its queue is empty`);
  }
}

/** A request that was made in the storm may still be under way, and fail. */
async function download({ time }: World, engine: SyncEngine): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await time.passUntil(engine.download(), 600_000);
      return;
    } catch (thrown) {
      if (attempt === 3) throw thrown;
    }
  }
}

/** Invariant 13: after a download, every device has exactly what the server has for its user. */
async function checkConverged(world: World, workload: Workload): Promise<void> {
  const { oracle, devices, time } = world;
  const { history } = oracle;
  for (const device of devices) {
    const { name, owner } = device;
    const engine = device.engine!;
    // One that was interrupted hours ago goes on, and brings pages of then.
    if (oracle.mirror(name).meta!.download !== null) await download(world, engine);
    await download(world, engine);
    const status = await time.passUntil(engine.status(), 1_000);
    const { sideCount, parked } = oracle.mirror(name);
    if (sideCount + parked.size > 0) oracle.fail('parked', `${name} keeps ${sideCount} images of ${parked.size} groups aside after a download`);
    if (status.state !== 'upToDate') oracle.fail('convergence', `${name} is ${status.state}: ${JSON.stringify(status)}`);
    for (const object of OBJECTS) {
      const shown = workload.shownBy(engine, object);
      const listed = await time.passUntil(engine.query({ object }), 10_000);
      if (shown !== null && JSON.stringify(shown) !== JSON.stringify(listed)) oracle.fail('convergence', `${name} last heard ${JSON.stringify(shown)}, and finds ${JSON.stringify(listed)}`);
      const records = new Map(listed.map(({ id, values }) => [`${object}/${id}`, values]));
      for (const key of history.keys()) {
        if (!key.startsWith(`${object}/`)) continue;
        const online = history.current(key)!;
        const found = records.get(key) ?? null;
        records.delete(key);
        // What no download has is here as the feed brought it last, or is gone (rule A32).
        if (!isDownloaded(online, owner.user) && (found === null || isShown(online, owner.user))) continue;
        // Nor does anybody tell of what others have done since with a record that no download had (rule A40).
        const held = oracle.mirror(name).base(key);
        if (held?.online && !isDownloaded(held.online, owner.user) && !history.feed(owner.user).some(({ records }) => compareVersions(records.get(key) ?? NO_VERSION, held.version) > 0)) continue;
        const expected = isShown(online, owner.user) ? online.values : null;
        if (!sameValues(found, expected)) oracle.fail('convergence', `${name} shows ${key} as ${JSON.stringify(found)}, and online it is ${JSON.stringify(expected)}`);
      }
      for (const key of records.keys()) oracle.fail('convergence', `${name} shows ${key}, which never was online`);
    }
  }
}

/** What the server computes adds up: an account counts its live visits. */
function checkRollUps({ oracle: { history, fail } }: World): void {
  const counts = new Map<unknown, number>();
  const live = [...history.keys()].map((key) => history.current(key)!).filter(({ isDeleted }) => !isDeleted);
  for (const { key, values } of live) if (key.startsWith('visit/')) counts.set(`account/${String(values.account)}`, (counts.get(`account/${String(values.account)}`) ?? 0) + 1);
  for (const { key, values } of live) {
    if (key.startsWith('account/') && values.visits !== (counts.get(key) ?? 0)) fail('content', `${key} counts ${String(values.visits)} visits, and has ${counts.get(key) ?? 0}`);
  }
}
