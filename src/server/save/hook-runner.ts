import { decodeRow, encodeValue, joinRow, splitRow } from '../../protocol/row.ts';
import type { FieldValue } from '../../protocol/field.ts';
import type { Clock } from '../../shared/clock.ts';
import { SyncFault } from '../../shared/fault.ts';
import type { Principal } from '../principal.ts';
import { HookRefusal, type AnyObjectHooks, type ChildrenOf, type SaveOrigin, type SaveReads } from '../save-hooks.ts';
import type { Schema } from '../../protocol/schema.ts';
import type { ServerObject } from '../server-schema.ts';
import { withTimeLimit } from '../time-limit.ts';
import { EntryDelayed } from './refusal.ts';
import type { WorkingRecord, WorkingSet } from './working-set.ts';

/** A record as hooks see it. */
export type HookRecord = { readonly id: string } & Readonly<Record<string, FieldValue>>;

/** What hooks of one save share. */
export interface HookBase {
  readonly tenant: string;
  readonly user: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly origin: SaveOrigin;
  readonly now: number;
  readonly records: SaveReads<Schema>;
  readonly prepared: unknown;
}

/** Calls a host's hooks: under the time limit, and with what they throw turned into "try later". */
export interface HookRunner {
  readonly base: HookBase;
  hooksOf(object: string): AnyObjectHooks | undefined;
  call<T>(name: string, object: string, hook: () => T | Promise<T>): Promise<T>;
  /** Live children by object, for objects that have hooks. */
  childrenOf(type: ServerObject, id: string): Promise<ChildrenOf<Schema>>;
}

export interface HookRunnerOptions {
  readonly hooks: ReadonlyMap<string, AnyObjectHooks>;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly principal: Principal;
  readonly origin: SaveOrigin;
  readonly working: WorkingSet;
  /** What the server's `prepare` returned for this save. */
  readonly prepared: unknown;
}

export function createHookRunner({ hooks, timeoutMs, clock, principal, origin, working, prepared }: HookRunnerOptions): HookRunner {
  const read = async (object: string, id: string): Promise<HookRecord | null> => hookRecord(await working.get({ object, id }));
  const children = async (object: string, parentId: string): Promise<HookRecord[]> =>
    (await working.children(object, parentId)).flatMap((record) => hookRecord(record) ?? []);

  return {
    base: { ...principal, origin, now: clock.now(), records: { get: read, children }, prepared },
    hooksOf: (object) => hooks.get(object),
    async call(name, object, hook) {
      try {
        const answer = await withTimeLimit(clock, timeoutMs, hook);
        assertAnswer(name, answer);
        return answer;
      } catch (cause) {
        throw cause instanceof EntryDelayed ? cause : new EntryDelayed(`${name} of ${object} failed`, cause);
      }
    },
    async childrenOf(type, id) {
      const entries: [string, HookRecord[]][] = [];
      for (const { name } of type.children) entries.push([name, await children(name, id)]);
      return Object.fromEntries(entries);
    },
  };
}

/** What each hook may answer, besides a refusal and nothing. A mistake there must not pass for a yes. */
const MAY_ANSWER: Readonly<Record<string, (answer: unknown) => boolean>> = {
  allow: (answer) => typeof answer === 'boolean',
  beforeSave: isRecord,
  validate: () => false,
  afterSave: () => false,
  formulas: isRecord,
};

/** Fields by name. An error that was returned and not thrown, or a map, has none of its own and would pass for "nothing to set". */
function isRecord(answer: unknown): boolean {
  return typeof answer === 'object' && !Array.isArray(answer) && !(answer instanceof Error) && !(answer instanceof Map) && !(answer instanceof Set);
}

function assertAnswer(name: string, answer: unknown): void {
  const isNothing = (answer === undefined || answer === null) && name !== 'allow';
  const isRefusal = answer instanceof HookRefusal && name !== 'formulas';
  if (isRefusal) assertSound(answer);
  else if (!isNothing && MAY_ANSWER[name]?.(answer) !== true) throw new TypeError(`${name} answers what it must not`);
}

const LONGEST = { name: 200, message: 2_000 } as const;

/** Every device must be able to read a refusal, or it could read no answer that holds it. @throws TypeError the hook's mistake */
export function assertSound({ field, code, message }: HookRefusal): void {
  const texts: readonly (readonly [unknown, number])[] = [[field ?? '', LONGEST.name], [code, LONGEST.name], [message, LONGEST.message]];
  for (const [text, most] of texts) {
    if (typeof text !== 'string' || text.length > most || /\p{Surrogate}/u.test(text)) throw new TypeError(`a refusal is made of texts of at most ${most} characters`);
  }
}

/** A live record as hooks see it; `null` for one that is deleted or was never saved. */
export function hookRecord(record: WorkingRecord): HookRecord | null {
  return record.isLive && record.row !== null ? decodeRecord(record.type, record.id, record.row) : null;
}

/** A row as hooks see it. */
export function decodeRecord(type: ServerObject, id: string, row: Uint8Array): HookRecord {
  return { ...decodeRow(type.layout, row), id } as HookRecord;
}

/** The owners whose values come from the server itself, never from a hook. */
const OWN_OF_SERVER: ReadonlySet<string> = new Set(['record-id', 'auto-number', 'created', 'last-modified']);

/** A row with the fields that a hook set. @throws SyncFault `VALUE_INVALID`, `FIELD_UNKNOWN`: the hook's mistake */
export function patchRow(type: ServerObject, row: Uint8Array, patch: Readonly<Record<string, unknown>>): Uint8Array {
  const values = splitRow(row);
  for (const [name, value] of Object.entries(patch)) {
    const position = type.layout.positions.get(name);
    if (position === undefined) throw new SyncFault('FIELD_UNKNOWN', `a hook sets ${type.name}.${name}, which is no field`);
    const { owner, type: fieldType } = type.fields[position]!;
    if (OWN_OF_SERVER.has(owner)) throw new SyncFault('FIELD_SERVER_OWNED', `a hook sets ${type.name}.${name}, which the server itself sets`);
    values[position] = encodeValue(fieldType, value, `${type.name}.${name}`);
  }
  return joinRow(values);
}
