import type { Clock } from '../../shared/clock.ts';
import { platformClock, platformRandom } from '../../shared/platform.ts';
import type { Random } from '../../shared/random.ts';
import type { TabLock } from './tab-lock.ts';

/** What tabs of one profile meet with. */
export interface TabGround extends TabLock {
  /** Opens the channel of that name to whoever else has it open. */
  readonly openChannel: (name: string) => BroadcastChannel;
  readonly clock: Clock;
  readonly random: Random;
}

/** Adds what the platform has to the lock: tests bring their own. */
export function tabGround(lock: TabLock): TabGround {
  return { openChannel: (name) => new BroadcastChannel(name), clock: platformClock, random: platformRandom, ...lock };
}
