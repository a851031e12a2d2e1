import type { SyncEngine } from '../../client/engine.ts';
import { SyncFault } from '../../shared/fault.ts';
import type { EngineParts, EnginePlan } from '../engine-start.ts';
import type { Seat, TabLock } from './tab-lock.ts';
import type { TabEngine } from './tab-engine.ts';
import type { TabGround } from './tab-ground.ts';

/** Everything that it takes to start the engine of a tab, now or when it is its turn. */
export interface TabStart {
  readonly plan: EnginePlan;
  readonly parts: EngineParts;
  readonly lock: TabLock;
  readonly start: (plan: EnginePlan, parts: EngineParts) => Promise<SyncEngine>;
}

/** One tab among those of its profile. */
export interface Tab {
  readonly id: string;
  readonly ground: TabGround;
  readonly plan: EnginePlan;
  /** What its page calls. */
  readonly shown: TabEngine;
  /** No engine has answered it yet. */
  isNew: boolean;
  /** Opens the store and works for all, for as long as the seat is held. */
  lead(seat: Seat): Promise<void>;
  /** Gives up, in good order, what the tab is at the time. */
  leave(): Promise<void>;
}

/** Tells all tabs that the user has signed out of this device. */
export function tellEnd({ openChannel, name }: TabGround): void {
  const channel = openChannel(name);
  channel.postMessage({ kind: 'ended' });
  channel.close();
}

/** Ends a tab whose user has signed out in another. */
export function endTab({ shown }: Tab): void {
  shown.engine.close().catch(() => {});
  shown.end(new SyncFault('CLIENT_CLOSED', 'the user has signed out in another tab'));
}
