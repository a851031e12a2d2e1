import type { SyncEngine } from '../../client/engine.ts';
import { SyncFault } from '../../shared/fault.ts';
import { follow } from './follow-leader.ts';
import { serveTabs } from './serve-tabs.ts';
import type { OpenedEngine } from './noted-watches.ts';
import { tellEnd, type Tab, type TabStart } from './tab.ts';
import { TabEngine } from './tab-engine.ts';
import { tabGround } from './tab-ground.ts';
import type { Seat, TabLock } from './tab-lock.ts';

/** Lets a tab ask the one that leads; resolves when it has a place in line. Loaded by whoever finds a leader there. */
export async function join(given: TabStart): Promise<SyncEngine> {
  const tab = createTab(given);
  await follow(tab);
  return tab.shown.engine;
}

/** Lets a tab that has the store work for the others. Loaded by the first tab once its engine is opening. */
export function lead(given: TabStart, seat: Seat, opened: OpenedEngine): void {
  const tab = createTab(given, opened);
  tab.isNew = false;
  takeLead(tab, seat, opened.engine);
  const { close, ...calls } = tab.shown.engine;
  Object.assign(opened.shown, calls, { close, ready: opened.engine.ready });
}

/** Tells all tabs that the user has signed out of this device, for a tab that does not work for others yet. */
export function tellOthers(lock: TabLock): void {
  tellEnd(tabGround(lock));
}

function createTab(given: TabStart, opened?: OpenedEngine): Tab {
  const ground = tabGround(given.lock);
  const tab: Tab = {
    id: `${ground.random.next()}`,
    ground,
    plan: given.plan,
    isNew: true,
    shown: new TabEngine({
      clock: ground.clock,
      lifecycle: opened?.lifecycle ?? given.plan.lifecycle,
      ...(opened === undefined ? {} : { opened }),
      onClose: () => tab.leave(),
      onSignedOut: () => tellEnd(ground),
    }),
    leave: async () => {},
    async lead(seat) {
      try {
        tab.isNew = false;
        takeLead(tab, seat, await given.start({ ...given.plan, lifecycle: tab.shown.lifecycle }, given.parts));
      } catch (thrown) {
        seat.leave();
        tab.shown.end(thrown instanceof SyncFault ? thrown : new SyncFault('WORKER_FAILED', 'the engine could not be started', { cause: thrown }));
      }
    },
  };
  return tab;
}

function takeLead(tab: Tab, seat: Seat, engine: SyncEngine): void {
  engine.ready.catch(seat.leave);
  const stopServing = serveTabs(tab, engine, seat);
  tab.leave = async () => {
    await stopServing();
    await engine.close().finally(seat.leave);
  };
  tab.shown.use(engine, 'leader');
}
