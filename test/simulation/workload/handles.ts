import type { HandleRequest } from '../../../src/client/handles/handle.ts';
import type { SyncEngine } from '../../../src/client/engine.ts';
import type { SimulatedDevice } from '../../../src/testing/simulation/simulated-device.ts';
import type { OpenHandle } from '../oracle/handle-ledger.ts';
import type { IntendedChange } from '../oracle/intents.ts';
import { idOf, objectOf, SAVING, type Desk } from './desk.ts';

/** What work on an open record may be told: it was closed meanwhile, or cannot be edited. */
const WORKING = [...SAVING, 'HANDLE_CLOSED', 'FIELD_REQUIRED', 'GROUP_MIXED'] as const;

/** What a device's client has open, and how it is closed. */
export type Closers = Map<SyncEngine, Map<number, () => void>>;

/** Opens a record, or goes on with an open one: saves through it, looks at what is newer, leaves it. */
export function workOnHandle(desk: Desk, device: SimulatedDevice, closers: Closers): void {
  const { all } = desk.mirror(device).handles;
  if (all.length === 0 || (all.length < 3 && desk.random.chance(0.35))) return openRecord(desk, device, closers);
  const handle = desk.random.pick(all);
  const next = desk.random.weighted({ update: 35, remove: 3, showNewest: 12, close: 35, look: 15 });
  if (next === 'close') close(desk, device, closers, handle);
  else if (next === 'showNewest') showNewest(desk, device, handle);
  else if (next === 'look') look(desk, device, handle);
  else save(desk, device, handle, next);
}

function openRecord(desk: Desk, device: SimulatedDevice, closers: Closers): void {
  const object = desk.pickObject();
  const key = desk.pickShown(device, object);
  if (key === null) return;
  const engine = device.engine!, mirror = desk.mirror(device);
  const own = closers.get(engine) ?? new Map<number, () => void>();
  closers.set(engine, own);
  const mode = desk.random.pick(['view', 'edit'] as const);
  let handle: number | null = null;
  const opening = engine.watchHandle(object, idOf(key), mode, (view) => {
    if (desk.mirror(device) !== mirror || device.engine !== engine) return;
    handle = view.handle;
    mirror.handles.show(view, mirror.headerOf(key));
  }).then((end) => {
    if (handle === null) return;
    if (!desk.isOver) return void own.set(handle, end);
    mirror.handles.close(handle);
    end();
  });
  desk.expect(device, opening, WORKING);
}

function close(desk: Desk, device: SimulatedDevice, closers: Closers, { handle, header, key }: OpenHandle): void {
  const engine = device.engine!, mirror = desk.mirror(device);
  const end = closers.get(engine)?.get(handle);
  if (end === undefined) return;
  closers.get(engine)!.delete(handle);
  mirror.handles.close(handle);
  // Whoever only stops listening does not hear whether the disk took what waited.
  const isTold = desk.random.chance(0.5);
  const closed = isTold ? engine.handle({ kind: 'close', handle }) : Promise.resolve(end());
  // Whatever is read after the last close shows what waited (rule A38).
  const read = closed.then(() => engine.get(objectOf(key), idOf(key))).then(() => {
    if (isTold && desk.mirror(device) === mirror && device.engine === engine) mirror.checkReleased(header ?? key);
  });
  desk.expect(device, read, WORKING);
}

function showNewest(desk: Desk, device: SimulatedDevice, { handle }: OpenHandle): void {
  const mirror = desk.mirror(device);
  const end = mirror.handles.renew(handle);
  desk.expect(device, device.engine!.handle({ kind: 'showNewest', handle }).finally(end), WORKING);
}

function look(desk: Desk, device: SimulatedDevice, { key }: OpenHandle): void {
  desk.expect(device, device.engine!.handle({ kind: 'newer', object: objectOf(key), id: idOf(key) }), WORKING);
}

/** Rule A27: a save through a handle begins from what the handle showed. */
function save(desk: Desk, device: SimulatedDevice, open: OpenHandle, kind: 'update' | 'remove'): void {
  const { handle, key } = open;
  const object = objectOf(key), id = idOf(key);
  const values = kind === 'remove' ? {} : desk.newEdit(device, object);
  const change: IntendedChange = { op: kind, object, id, values, form: () => open.shown };
  const request: HandleRequest = { kind, handle, values };
  desk.save(device, [change], (engine) => engine.handle(request).then((answer) => {
    const { entry } = (answer as { readonly receipt: { readonly entry: number | null } }).receipt;
    return { entry, ids: [id] };
  }), ['HANDLE_CLOSED', 'FIELD_REQUIRED', 'GROUP_MIXED']);
}
