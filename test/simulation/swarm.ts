import type { HintFaults } from '../../src/testing/simulation/faulty-hints.ts';
import { NO_FAULTS, type Faults } from '../../src/testing/simulation/faults.ts';
import type { SeededRandom } from '../../src/testing/simulation/seeded-random.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { DEVICE_FIELDS, type ObjectName } from './crm.ts';

/**
 * How one run goes, drawn from its seed. Each kind of trouble is present in about half of the runs and absent in the others: a bug
 * that needs a quiet network and many crashes is as likely to meet its weather as one that needs the opposite.
 */
export interface Swarm {
  readonly steps: number;
  /** Devices by user. */
  readonly devices: readonly { readonly name: string; readonly user: string; readonly clockOffByMs: number }[];
  readonly faults: Faults;
  /** How often a page of the feed comes without a member of a group that it names. */
  readonly withheld: number;
  /** Whether the server goes on in parts of what the records are now, where a device asks for more of what they were. */
  readonly mixesParts: boolean;
  /** What happens to hints; `null` where the server gives none. */
  readonly hints: HintFaults | null;
  /** Mean time between two actions, in milliseconds. */
  readonly gapMs: number;
  readonly latencyMs: number;
  /** Mean time of a storage call; 0 for none. */
  readonly storageMs: number;
  readonly pollIntervalMs: number;
  /** Most records of a page: small ones make many pages of a small world. */
  readonly pageItems: number;
  /** Most entries of an upload. */
  readonly entries: number;
  /** Most bytes of a message, and of one entry. */
  readonly bodyBytes: number;
  readonly entryBytes: number;
  /** Records that exist before the first step. */
  readonly accounts: number;
  /** How likely an action picks one of the two records that everybody works on. */
  readonly hotness: number;
  /** How likely an edit is of a favourite field. */
  readonly focus: number;
  readonly favourites: Readonly<Record<string, readonly string[]>>;
  readonly hookMishaps: { readonly throws: number; readonly refuses: number; readonly slow: number; readonly tooSlow: number };
  /** How often an action is about an object: some of them are not there at all. */
  readonly objects: Readonly<Record<ObjectName, number>>;
  readonly actions: Readonly<Record<Action, number>>;
}

/** What can happen in a step. */
export type Action =
  | 'update'
  | 'create'
  | 'remove'
  | 'recreate'
  | 'restore'
  | 'group'
  | 'submit'
  | 'move'
  | 'undo'
  | 'resolve'
  | 'resolveAll'
  | 'acknowledge'
  | 'draft'
  | 'handle'
  | 'read'
  | 'query'
  | 'fetch'
  | 'download'
  | 'wake'
  | 'exchange'
  | 'goOffline'
  | 'goOnline'
  | 'background'
  | 'crash'
  | 'restart'
  | 'secondTab'
  | 'wipe'
  | 'clockJump'
  | 'online'
  | 'unlock'
  | 'serverCrash'
  | 'longAbsence'
  | 'rest';

const YEAR_MS = 365 * 86_400_000;

/** Draws a run. */
export function drawSwarm(random: SeededRandom): Swarm {
  const some = (least: number, most: number, odds = 0.5): number => (random.chance(odds) ? least * (most / least) ** random.next() : 0);
  const users = random.chance(0.15) ? ['u1'] : ['u1', 'u2'];
  const devices = users.flatMap((user) =>
    Array.from({ length: user === 'u1' && random.chance(0.25) ? 3 : 2 }, (_, index) => ({
      name: `${user}.${'abc'[index]!}`,
      user,
      clockOffByMs: random.chance(0.3) ? Math.round((random.next() - 0.5) * 20 * YEAR_MS) : 0,
    })),
  );
  const faults: Record<keyof Faults, number> = { ...NO_FAULTS };
  for (const kind of Object.keys(faults) as (keyof Faults)[]) faults[kind] = some(0.01, MOST[kind]);
  return {
    steps: random.integer(150, 300),
    devices,
    faults,
    withheld: drawWithheld(random.fork('withheld')),
    hints: drawHints(random.fork('hints')),
    mixesParts: random.fork('parts').chance(0.3),
    gapMs: random.pick([30, 300, 3_000]),
    latencyMs: random.pick([5, 40, 400]),
    storageMs: random.chance(0.4) ? random.pick([1, 5, 30]) : 0,
    pollIntervalMs: random.pick([10_000, 30_000, 60_000]),
    pageItems: random.pick([1, 2, 5, 20, 500]),
    entries: random.pick([1, 2, 5, 500]),
    bodyBytes: random.pick([2_000, DEFAULT_LIMITS.bodyBytes, DEFAULT_LIMITS.bodyBytes]),
    entryBytes: random.pick([400, DEFAULT_LIMITS.entryBytes, DEFAULT_LIMITS.entryBytes]),
    accounts: random.integer(2, 6),
    hotness: random.pick([0.2, 0.5, 0.8]),
    focus: random.pick([0, 0.5, 0.9]),
    favourites: Object.fromEntries(Object.entries(DEVICE_FIELDS).map(([object, fields]) => [object, [random.pick(fields), random.pick(fields)]])),
    hookMishaps: { throws: some(0.01, 0.15, 0.3), refuses: some(0.01, 0.15, 0.3), slow: some(0.05, 0.5, 0.3), tooSlow: some(0.005, 0.05, 0.2) },
    ...drawWork(random, some),
  };
}

/** Each run is about some of the objects and some of the features: a bug that needs two of them is not lost among all the others. */
function drawWork(random: SeededRandom, some: (least: number, most: number, odds?: number) => number): Pick<Swarm, 'objects' | 'actions'> {
  const [orders, calls, inquiries] = [some(5, 40, 0.45), some(5, 40, 0.45), some(3, 20, 0.25)];
  return {
    objects: {
      account: 10 + random.next() * 45,
      visit: some(5, 25, 0.6),
      order: orders,
      line: orders,
      call: calls,
      sample: calls / 2,
      lot: calls / 6,
      expense: calls / 3,
      attendee: calls / 4,
      inquiry: inquiries,
      response: inquiries,
      profile: some(5, 25, 0.3),
      memo: some(3, 15, 0.5),
    },
    actions: drawActions(random, some, orders + calls + inquiries > 0),
  };
}

function drawHints(random: SeededRandom): HintFaults | null {
  return random.chance(0.3) ? { lost: random.pick([0, 0.3, 0.9]), repeated: random.pick([0, 0.3]) } : null;
}

function drawWithheld(random: SeededRandom): number {
  return random.chance(0.2) ? 0.02 + random.next() * 0.2 : 0;
}

const MOST: Readonly<Record<keyof Faults, number>> = {
  lostRequests: 0.3,
  lostAnswers: 0.4,
  repeatedRequests: 0.3,
  delays: 0.15,
  staleAnswers: 0.2,
  gatewayErrors: 0.2,
  captivePortals: 0.2,
  truncatedAnswers: 0.15,
  refusedTokens: 0.05,
  deviceCrashes: 0.1,
  failedCommits: 0.1,
  serverCrashes: 0.1,
};

function drawActions(random: SeededRandom, some: (least: number, most: number, odds?: number) => number, hasGroups: boolean): Record<Action, number> {
  const inGroups = (weight: number): number => (hasGroups ? weight : 0);
  return {
    update: 20 + random.next() * 40,
    create: some(2, 12, 0.8),
    remove: some(1, 8),
    recreate: some(0.5, 3),
    restore: some(0.5, 3, 0.3),
    group: inGroups(some(4, 25, 0.9)),
    submit: inGroups(some(1, 8, 0.7)),
    move: inGroups(some(1, 5, 0.4)),
    undo: some(2, 12, 0.7),
    resolve: some(2, 12, 0.6),
    resolveAll: some(0.5, 3, 0.3),
    acknowledge: some(0.5, 3, 0.4),
    draft: some(3, 20, 0.4),
    handle: some(4, 25, 0.5),
    read: some(1, 6),
    query: some(0.5, 3),
    fetch: some(1, 8),
    download: some(0.5, 5),
    wake: some(2, 15, 0.8),
    exchange: some(1, 5),
    goOffline: some(1, 8),
    goOnline: some(4, 20),
    background: some(1, 4, 0.3),
    crash: some(0.5, 6),
    restart: some(0.5, 4, 0.3),
    secondTab: some(0.3, 1.5, 0.2),
    wipe: some(0.3, 1.5, 0.25),
    clockJump: some(0.5, 2, 0.2),
    online: some(2, 15),
    unlock: inGroups(some(0.5, 4, 0.4)),
    serverCrash: some(0.5, 4),
    longAbsence: some(0.3, 1.5, 0.25),
    rest: some(1, 6),
  };
}
