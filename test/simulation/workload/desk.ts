import type { EntryOutcome } from '../../../src/client/queue/outcomes.ts';
import type { SyncEngine } from '../../../src/client/engine.ts';
import type { FieldValue } from '../../../src/schema.ts';
import { isFault, type FaultCode } from '../../../src/shared/fault.ts';
import type { SeededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import type { SimulatedDevice } from '../../../src/testing/simulation/simulated-device.ts';
import { DEVICE_FIELDS, OBJECTS, schema, submittedOf, UNWANTED, type ObjectName } from '../crm.ts';
import type { DeviceMirror } from '../oracle/device-mirror.ts';
import { inForm, type IntendedChange } from '../oracle/intents.ts';
import type { Save } from '../oracle/saves.ts';
import type { World } from '../world.ts';

/** Faults that any call may meet in bad weather. */
const WEATHER: readonly FaultCode[] = ['STORAGE_FULL', 'STORAGE_FAILED', 'CLIENT_CLOSED', 'CLIENT_TAKEN_OVER'];
/** Faults of calls that need the server. */
export const NETWORK: readonly FaultCode[] = ['TRANSPORT_UNREACHABLE', 'TRANSPORT_TIMEOUT', 'TRANSPORT_ABORTED', 'TRANSPORT_BAD_ANSWER', 'TRANSPORT_BUSY', 'AUTH_REQUIRED', 'SERVER_FAILED', 'SERVER_BUSY', 'DOWNLOAD_FAILED'];
/** What a save may be told: the record came or went meanwhile, the group was submitted, the save is too large. */
export const SAVING: readonly FaultCode[] = ['RECORD_MISSING', 'RECORD_EXISTS', 'RECORD_LOCKED', 'RECORD_CHANGED_ELSEWHERE', 'RECORD_CHANGED_ELSEWHERE', 'CHANGE_TOO_LARGE'];

/** A save's answer: the entry, and the records in the order of the changes. */
export interface Saved {
  readonly entry: number | null;
  readonly ids: readonly string[];
}

/** What everybody at work in a simulation shares: whom to pick, what to enter, and how a call is watched. Every value is entered once. */
export class Desk {
  readonly world: World;
  readonly random: SeededRandom;
  /** The working day is over: whatever opens now is left at once. */
  isOver = false;
  #entered = 0;

  constructor(world: World) {
    this.world = world;
    this.random = world.random.fork('workload');
  }

  mirror(device: SimulatedDevice): DeviceMirror {
    return this.world.oracle.mirror(device.name);
  }

  /** A call may end well, never end because its device is gone, or fail for a reason that the weather explains. */
  expect(device: SimulatedDevice, call: Promise<unknown>, also: readonly FaultCode[] = []): void {
    call.catch((thrown: unknown) => {
      this.world.trace.note(device.name, 'call failed', String(thrown));
      if (isFault(thrown) && (WEATHER.includes(thrown.code) || also.includes(thrown.code))) return;
      this.world.oracle.fail('unexpected-fault', `${device.name} met ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
    });
  }

  /** Saves, and holds the device to what it answers. */
  save(device: SimulatedDevice, changes: readonly IntendedChange[], call: (engine: SyncEngine) => Promise<Saved>, also: readonly FaultCode[] = []): void {
    const { oracle } = this.world;
    const mirror = this.mirror(device);
    const engine = device.engine!;
    const end = oracle.intend(device.name, { kind: 'save', changes });
    const made = changes.map(inForm);
    const done = call(engine).then(({ entry, ids }) => {
      if (this.mirror(device) !== mirror || entry === null) return;
      oracle.acknowledge(device.name, entry, made.map(({ object, id, values }, index) => ({ key: `${object}/${id ?? ids[index]!}`, values })));
      if (this.random.chance(0.3)) this.follow(device, engine, entry);
    });
    this.expect(device, done.finally(end), [...SAVING, ...also]);
  }

  /** Waits for the outcome of a save, and compares it with what really became of it. */
  follow(device: SimulatedDevice, engine: SyncEngine, seq: number): void {
    const { oracle } = this.world;
    const mirror = this.mirror(device);
    const told = engine.outcome(seq).then(({ kind }) => {
      if (this.mirror(device) !== mirror) return;
      const save = oracle.saves.all.findLast((known) => known.device === device.name && known.seq === seq)!;
      const isTrue = isOutcome(save, kind);
      if (!isTrue) oracle.fail('honest-status', `${device.name} was told that save ${seq} is ${kind}, and it is ${save.place}`);
    });
    this.expect(device, told);
  }

  /** A host's own id at birth. */
  newId(device: SimulatedDevice): string {
    return `${device.name}-${++this.#entered}`;
  }

  pickObject(): ObjectName {
    return this.random.weighted(this.world.swarm.objects);
  }

  /** A record of an object that a device shows; `null` when it shows none. */
  pickShown(device: SimulatedDevice, object: string): string | null {
    const shown = [...this.mirror(device).shown(object)];
    if (shown.length === 0) return null;
    const hot = shown.sort().slice(0, 2);
    return this.random.pick(this.random.chance(this.world.swarm.hotness) ? hot : shown);
  }

  /** A live record online; `null` when there is none. */
  pickLive(object: string): string | null {
    const { history } = this.world.oracle;
    const live = [...history.keys()].filter((key) => objectOf(key) === object && !history.current(key)!.isDeleted);
    return live.length === 0 ? null : this.random.chance(this.world.swarm.hotness) ? live[0]! : this.random.pick(live);
  }

  /** In a focused run everybody edits the same few fields: that is where edits meet. */
  pickField(object: ObjectName): string {
    const { favourites, focus } = this.world.swarm;
    const field = this.random.pick(this.random.chance(focus) ? favourites[object]! : DEVICE_FIELDS[object]!);
    // Submitting is rarer than editing.
    return field === submittedOf(object)?.field && this.random.chance(0.8) ? this.random.pick(DEVICE_FIELDS[object]!) : field;
  }

  /** Values of a new record; `given` are those that are decided already. `null` when something required cannot be had. */
  newValues(user: string, device: SimulatedDevice | null, object: ObjectName, given: Readonly<Record<string, FieldValue>> = {}): Record<string, FieldValue> | null {
    const values: Record<string, FieldValue> = { ...given };
    for (const field of DEVICE_FIELDS[object]!) {
      if (field in given) continue;
      const required = isRequired(object, field);
      if (!required && this.random.chance(0.6)) continue;
      values[field] = object === 'memo' && field === 'owner' ? user : field === submittedOf(object)?.field ? null : this.value(user, device, object, field);
      if (required && values[field] === null) return null;
    }
    return values;
  }

  /** One to three changed fields of a record. */
  newEdit(device: SimulatedDevice, object: ObjectName): Record<string, FieldValue> {
    const values: Record<string, FieldValue> = {};
    for (let fields = this.random.pick([1, 1, 1, 2, 3]); fields > 0; fields--) {
      const field = this.pickField(object);
      const value = this.value(device.owner.user, device, object, field);
      if (value !== null || !isRequired(object, field)) values[field] = value;
    }
    return values;
  }

  /** A value that nobody entered before, where the field's type allows it. */
  value(user: string, device: SimulatedDevice | null, object: ObjectName, field: string): FieldValue {
    const { type, required, options, target } = definitionOf(object, field);
    if (!required && this.random.chance(0.1)) return null;
    const entered = ++this.#entered;
    if (object === 'memo' && field === 'owner') return this.random.chance(0.3) ? this.random.pick(this.world.devices).owner.user : user;
    if (type === 'multiPicklist') return options!.filter((option) => option === 'gift' || this.random.chance(0.5)).toSorted();
    if (options !== undefined) return this.random.pick(options);
    if (target !== undefined) {
      const key = device === null ? this.pickLive(target) : this.pickShown(device, target);
      return key === null ? null : idOf(key);
    }
    if (type === 'integer') return entered;
    if (type === 'decimal') return `${entered}.5`;
    if (type === 'dateTime') return new Date(Date.UTC(2026, 0, 1) + entered * 60_000).toISOString();
    if (type === 'json') return { by: user, entered, path: [entered, null, { deep: true }] };
    if (this.random.chance(0.03)) return `v${entered} ${'long '.repeat(this.random.integer(20, 120))}.`;
    return `v${entered}${device !== null && field === 'name' && this.random.chance(0.04) ? UNWANTED : ''}`;
  }
}

/** Whether that is what became of a save; what went up in a copy ends as the copy does. */
function isOutcome(save: Save, kind: EntryOutcome['kind']): boolean {
  if (save.place === 'duplicated') return true;
  switch (kind) {
    case 'refused': return save.place === 'failed' || save.sendings.some(({ decision }) => decision === 'refused');
    case 'partlySaved': return save.sendings.some(({ decision }) => decision === 'partlySaved');
    case 'duplicated': return save.duplicateOf !== null && save.place === 'saved';
    default: return save.place === kind;
  }
}

interface FieldDefinition {
  readonly type: string;
  readonly required: boolean;
  readonly options?: readonly string[];
  readonly target?: string;
}

function definitionOf(object: ObjectName, field: string): FieldDefinition {
  return (schema.objects[object].fields as Readonly<Record<string, FieldDefinition>>)[field]!;
}

function isRequired(object: ObjectName, field: string): boolean {
  return definitionOf(object, field).required;
}

export function objectOf(key: string): ObjectName {
  return OBJECTS.find((object) => key.startsWith(`${object}/`))!;
}

export function idOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}
