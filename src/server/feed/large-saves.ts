import type { Clock } from '../../shared/clock.ts';
import type { LargeSave } from './part.ts';

/** Which save it is that comes in parts, and whose. */
export interface SavePlace {
  readonly tenant: string;
  readonly user: string;
  /** The user's feed, and its epoch. */
  readonly feed: string;
  readonly epoch: number;
  /** The position before it. */
  readonly after: number;
  /** How many records a page may have. */
  readonly limit: number;
}

/**
 * Remembers saves that are sent in parts while they are: to look around in tens of thousands of records takes as long as to send hundreds. Where
 * one is not remembered, by another server or no more, it is looked at anew, and goes on if it is still what it was.
 */
export interface LargeSaves {
  /** The save in this revision; with `null`, in any that has only just been looked at. */
  find(place: SavePlace, revision: string | null): LargeSave | null;
  keep(place: SavePlace, save: LargeSave): void;
}

interface Kept {
  readonly place: string;
  readonly save: LargeSave;
  readonly since: number;
  usedAt: number;
}

/** The devices of a user that hear of a save at the same time begin with the same. */
const JUST_NOW_MS = 10_000;
/** A device that asks for no more for so long has gone. */
const MOST_REST_MS = 60_000;
/** What a device gets is no older, however slowly it reads. */
const MOST_AGE_MS = 900_000;
const MOST_KEPT = 100;

/**
 * Makes {@link LargeSaves}.
 *
 * @param mostRecords - of all that are remembered, about 300 bytes each; the newest is, whatever it has.
 */
export function createLargeSaves(clock: Pick<Clock, 'monotonic'>, mostRecords = 200_000): LargeSaves {
  let kept: readonly Kept[] = [];

  function forget(now: number): void {
    let records = 0;
    const recent = kept.filter(({ since, usedAt }) => now - usedAt <= MOST_REST_MS && now - since <= MOST_AGE_MS).sort((left, right) => right.usedAt - left.usedAt);
    kept = recent.filter(({ save: { items } }, index) => (records += items.length) <= mostRecords ? index < MOST_KEPT : index === 0);
  }

  return {
    find(place, revision) {
      const now = clock.monotonic(), wanted = textOf(place);
      forget(now);
      const found = kept.find((one) => one.place === wanted && (revision === null ? now - one.since <= JUST_NOW_MS : one.save.revision === revision));
      if (found === undefined) return null;
      found.usedAt = now;
      return found.save;
    },
    keep(place, save) {
      const now = clock.monotonic(), text = textOf(place);
      const others = kept.filter((one) => one.place !== text || one.save.revision !== save.revision);
      kept = [{ place: text, save, since: now, usedAt: now }, ...others];
      forget(now);
    },
  };
}

function textOf({ tenant, user, feed, epoch, after, limit }: SavePlace): string {
  return JSON.stringify([tenant, user, feed, epoch, after, limit]);
}
