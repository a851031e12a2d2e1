import type { SyncEngine } from '../../client/engine.ts';
import { createPart } from '../../client/parts.ts';
import type { EngineParts, EnginePlan } from '../engine-start.ts';
import { startEngine } from '../start-engine.ts';
import { noteWatches } from './noted-watches.ts';
import type { TabStart } from './tab.ts';
import { takeSeat, type TabLock } from './tab-lock.ts';

/** Counts up when tabs of two releases could not talk. Each number has leaders of its own; between those the fence of the store decides. */
const TAB_PROTOCOL = 1;

const loadTabs = createPart(() => import('./tabs.ts'));

/**
 * Starts the engine of a tab (rule C10): the first tab of a profile opens the store and works for all; the others ask it, and the next in
 * line takes its place. Where the tabs cannot meet, each starts its own engine, and the last one has the store.
 */
export async function startTab(plan: EnginePlan, parts: EngineParts, lock: TabLock | null = tabLock(plan), start: TabStart['start'] = startEngine): Promise<SyncEngine> {
  if (lock === null) return start(plan, parts);
  const given: TabStart = { plan, parts, lock, start };
  const seat = await takeSeat(lock, lock.name, { ifAvailable: true });
  if (seat === null) return (await loadTabs()).join(given);
  const starting = start(plan, parts);
  starting.catch(seat.leave);
  const opened = noteWatches(await starting, plan.lifecycle);
  const { shown, engine } = opened;
  shown.close = () => engine.close().finally(seat.leave);
  for (const name of ['signOut', 'wipe'] as const) {
    // Others may be waiting already: none of them is to open the store anew (rule C11).
    const leave = async (...options: never[]): Promise<unknown> => {
      const left = await (engine[name] as (...given: never[]) => Promise<unknown>)(...options);
      await loadTabs().then(({ tellOthers }) => tellOthers(lock), () => {}); // who waits has no such file either
      return left;
    };
    Object.assign(shown, { [name]: leave });
  }
  // A store that cannot be opened here is left to the next tab; this one says why in every call.
  engine.ready.catch(seat.leave);
  // Until others know whom to ask they wait; where the file is not to be had they take over in the end.
  loadTabs().then(({ lead }) => lead(given, seat, opened), () => {});
  return shown;
}

function tabLock({ sharedAs, tenant, user, readOnly }: EnginePlan): TabLock | null {
  // Every browser had BroadcastChannel before it had locks.
  const locks = (globalThis.navigator as Partial<Navigator> | undefined)?.locks;
  // Who only looks on stands beside the tabs that work (rule A10).
  if (sharedAs === undefined || readOnly || locks === undefined) return null;
  return { name: `fieldtide tabs ${TAB_PROTOCOL} ${JSON.stringify([sharedAs, tenant, user])}`, locks };
}
