import type { SyncEvent } from '../../src/client/sync-event.ts';
import type { ClientRules } from '../../src/client/rules.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import { createFaultyNetwork, type FaultyNetwork } from '../../src/testing/simulation/faulty-network.ts';
import { NO_FAULTS, type Faults } from '../../src/testing/simulation/faults.ts';
import { createSeededRandom, type SeededRandom } from '../../src/testing/simulation/seeded-random.ts';
import { SimulatedDevice } from '../../src/testing/simulation/simulated-device.ts';
import { createSimulatedServer, type SimulatedServer } from '../../src/testing/simulation/simulated-server.ts';
import { createVirtualTime, RUN_BEGINS_AT, type VirtualTime } from '../../src/testing/simulation/virtual-time.ts';
import { memoryHintBus, type SaveOrigin, type ServerStore } from '../../src/server/index.ts';
import type { ServerRules } from '../../src/server/server-rules.ts';
import { canSee, createHooks, inScope, schema, type HookMishap } from './crm.ts';
import { Oracle } from './oracle/oracle.ts';
import { createRecordedStore } from './recorded-store.ts';
import { MixedParts } from './mixed-parts.ts';
import { drawSwarm, type Swarm } from './swarm.ts';
import { PATHS } from '../../src/protocol/messages.ts';
import { withholdMember } from './withheld.ts';
import type { Trace } from './trace.ts';

/** Bugs to plant: rules of the product with an entry swapped, or a store that does not keep its contract. */
export interface PlantedRules {
  readonly client?: Partial<ClientRules>;
  /** As `client`, where devices differ. */
  readonly clientOf?: (device: string) => Partial<ClientRules>;
  readonly server?: Partial<ServerRules>;
  readonly store?: (store: CrashableStore) => CrashableStore;
}

type CrashableStore = ServerStore & { crash(): void };

export interface WorldOptions {
  readonly seed: number;
  readonly rules?: PlantedRules;
  readonly trace: Trace;
}

export const RETENTION_MS = 7 * 86_400_000;

/** Everything that one seed makes: users with their devices, a network, a server, and the oracle that watches them. */
export interface World {
  readonly seed: number;
  readonly swarm: Swarm;
  readonly random: SeededRandom;
  readonly time: VirtualTime;
  readonly network: FaultyNetwork;
  readonly server: SimulatedServer;
  readonly devices: readonly SimulatedDevice[];
  readonly oracle: Oracle;
  readonly trace: Trace;
  /** Sets how far off a device's wall clock is. */
  setClock(device: string, offByMs: number): void;
  /** From now on things go wrong, as the seed has it. */
  storm(): void;
  /** From now on nothing goes wrong any more. */
  calm(): void;
}

/** Builds the world of a seed; no device runs yet. */
export function createWorld({ seed, rules = {}, trace }: WorldOptions): World {
  const random = createSeededRandom(seed);
  const swarm = drawSwarm(random.fork('swarm'));
  const time = createVirtualTime();
  const core = createTwinCore();
  trace.start(() => time.elapsed);
  const oracle = new Oracle({
    core,
    elapsed: () => time.elapsed,
    serverNow: () => RUN_BEGINS_AT + Math.floor(time.elapsed),
    retentionMs: RETENTION_MS,
    onViolation: ({ rule }) => {
      trace.note('oracle', rule);
      trace.end();
    },
  });
  let isCalm = true;
  const faults = (): Faults => (isCalm ? NO_FAULTS : swarm.faults);

  const storeRandom = random.fork('store');
  const store = createRecordedStore({
    onCommit(transaction) {
      trace.note('server', 'commit', ...transaction.records.map(({ object, id, version }) => `${object}/${id}@${version[1]}`), ...transaction.receipts.map(({ key }) => `receipt ${key.store.slice(-4)}#${key.number}`), ...transaction.feedRows.map(({ user, position }) => `feed ${user}:${position}`));
      oracle.commit(transaction);
    },
    crashesAt: () => storeRandom.chance(faults().serverCrashes),
    crash: () => crashServer(),
  });
  const hookRandom = random.fork('hooks');
  const mishap = (origin: SaveOrigin): HookMishap => {
    const kind = isCalm ? 'none' : pickMishap(hookRandom, swarm);
    if (kind !== 'none') trace.note('server', 'hook', kind);
    if ((kind === 'throw' || kind === 'too-slow') && origin.kind === 'device') oracle.noteDelay(origin.store, origin.number);
    return kind;
  };
  const server = createSimulatedServer({
    time,
    random: random.fork('server'),
    store: rules.store?.(store) ?? store,
    server: {
      ...(rules.server === undefined ? {} : { rules: rules.server }),
      schema,
      core,
      canSee,
      inScope,
      retentionMs: RETENTION_MS,
      limits: { pageItems: swarm.pageItems, entries: swarm.entries, bodyBytes: swarm.bodyBytes, entryBytes: swarm.entryBytes },
      objects: createHooks({ mishap, wait: (ms) => time.wait(ms) }),
      ...(swarm.hints && { hints: memoryHintBus() }),
      authenticate: ({ headers }) => ({ user: (headers.authorization ?? '').replace('Bearer ', '') }),
      log: ({ event, message, cause }) => trace.note('server', event, message, String(cause instanceof Error && cause.cause ? cause.cause : cause)),
    },
  });
  function crashServer(): void {
    trace.note('server', 'crash');
    server.crash();
  }

  const mixedParts = new MixedParts();
  const withheldRandom = random.fork('pages');
  /** Answers that are not as the server made them. */
  const shortened = new WeakSet<object>();
  const network = createFaultyNetwork({
    time,
    random: random.fork('network'),
    faults,
    latencyMs: swarm.latencyMs,
    // In calm too: nothing may hang on them.
    hints: swarm.hints === null ? undefined : { faults: swarm.hints, serverLife: () => server.crashes },
    exchange: async (request) => {
      const response = await server.exchange(request);
      const user = (request.headers.authorization ?? '').replace('Bearer ', '');
      if (response?.status !== 200 || response.body === null || request.path !== `/${PATHS.feed}` || isCalm) return response;
      const mixed = swarm.mixesParts ? await mixedParts.take(request, response, (next) => server.exchange(next)) : null;
      if (mixed !== null) {
        trace.note('server', 'mixes parts');
        shortened.add(mixed);
        return mixed;
      }
      if (!withheldRandom.chance(swarm.withheld)) return response;
      const page = withholdMember(core, withheldRandom, response.body);
      if (page === null) return response;
      trace.note('server', 'withholds', page.key);
      oracle.withhold(user, page.key);
      const short = { ...response, body: page.body };
      shortened.add(short);
      return short;
    },
    onEvent({ device, request, path, what, detail }) {
      trace.note(device, `${what} ${request}`, path, detail);
      if (what === 'sent') oracle.polls.sent(device, path);
    },
    onAnswer: (device, path, response) => void (shortened.has(response) || oracle.answer(device, path, response)),
  });
  const clocks = new Map<string, number>();
  const devices = swarm.devices.map(({ name, user, clockOffByMs }) => {
    clocks.set(name, clockOffByMs);
    return new SimulatedDevice({
      name,
      owner: { tenant: 'default', user },
      token: user,
      schema,
      core,
      time,
      network,
      faults,
      random: random.fork(name),
      pollIntervalMs: swarm.pollIntervalMs,
      clockOffBy: () => clocks.get(name)!,
      storageMs: () => (isCalm ? 0 : swarm.storageMs),
      observe: (storage) => oracle.observe(name, user, storage),
      rules: { ...rules.client, ...rules.clientOf?.(name) },
      onEvent: (event, isCurrent) => noteEvent(trace, oracle, name, event, isCurrent),
      onCrash(during) {
        trace.note(name, 'crash', during);
        oracle.forgetIntents(name);
      },
    });
  });
  return {
    seed,
    swarm,
    random,
    time,
    network,
    server,
    devices,
    oracle,
    trace,
    setClock: (device, offByMs) => void clocks.set(device, offByMs),
    storm: () => void (isCalm = false),
    calm: () => void (isCalm = true),
  };
}

function noteEvent(trace: Trace, oracle: Oracle, device: string, event: SyncEvent, isCurrent: boolean): void {
  const { type, ...rest } = event;
  trace.note(device, isCurrent ? type : `(old tab) ${type}`, rest);
  if (!isCurrent) return;
  if (event.type !== 'status:changed' || event.state !== 'upToDate') return;
  const waiting = oracle.mirror(device).queue.saves.find(({ isAcknowledged }) => isAcknowledged);
  if (waiting !== undefined) oracle.fail('honest-status', `${device} says that it is up to date, and save ${waiting.seq} waits`);
}

function pickMishap(random: SeededRandom, { hookMishaps: { throws, refuses, slow, tooSlow } }: Swarm): HookMishap {
  if (random.chance(throws)) return 'throw';
  if (random.chance(refuses)) return 'refuse';
  if (random.chance(tooSlow)) return 'too-slow';
  return random.chance(slow) ? 'slow' : 'none';
}
