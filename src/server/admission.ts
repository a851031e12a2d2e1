import { SyncFault } from '../shared/fault.ts';
import type { Random } from '../shared/random.ts';

/** What a request wants, and what it is counted among. */
export type RequestKind = 'polls' | 'uploads' | 'downloads' | 'hints';

/** How many requests of each kind a server works on at once. */
export interface ConcurrencyLimits {
  /** Polls and greetings. @defaultValue 5_000 */
  readonly polls: number;
  /** Uploads, each with its body in memory. @defaultValue 200 */
  readonly uploads: number;
  /** Pages of downloads, and single records. @defaultValue 100 */
  readonly downloads: number;
  /** Open streams of hints, about 10 kB each. @defaultValue 10_000 */
  readonly hints: number;
}

export const DEFAULT_CONCURRENCY: ConcurrencyLimits = { polls: 5_000, uploads: 200, downloads: 100, hints: 10_000 };

/** Within what time those who are turned away may come back, in milliseconds: at a random moment of it, or they would all come at once again. */
const COME_BACK_MS: Readonly<Record<RequestKind, readonly [least: number, most: number]>> = {
  polls: [5_000, 35_000],
  uploads: [1_000, 6_000],
  downloads: [2_000, 12_000],
  hints: [30_000, 90_000],
};

/** Counts the requests under way, so that a server that has more than it can do says so at once instead of doing all of it late. */
export interface Admission {
  /**
   * Counts a request in, and returns what counts it out again. Each kind has places of its own: however many polls there are, uploads
   * find theirs.
   *
   * @throws SyncFault `SERVER_BUSY`, with `details.retryAfterMs`
   */
  enter(kind: RequestKind): () => void;
}

/** Makes an {@link Admission}. */
export function createAdmission(limits: Partial<ConcurrencyLimits>, random: Random): Admission {
  const most = { ...DEFAULT_CONCURRENCY, ...limits };
  const inside: Record<RequestKind, number> = { polls: 0, uploads: 0, downloads: 0, hints: 0 };
  return {
    enter(kind) {
      if (inside[kind] >= most[kind]) throw busy(kind, random);
      inside[kind]++;
      let isInside = true;
      return () => {
        if (isInside) inside[kind]--;
        isInside = false;
      };
    },
  };
}

function busy(kind: RequestKind, random: Random): SyncFault {
  const [least, latest] = COME_BACK_MS[kind];
  const retryAfterMs = Math.floor(least + random.next() * (latest - least));
  return new SyncFault('SERVER_BUSY', 'the server has too much to do; try again later', { details: { retryAfterMs } });
}
