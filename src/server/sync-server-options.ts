import type { Core } from '../core/core.ts';
import type { ProtocolLimits } from '../protocol/limits.ts';
import type { ObjectName, Schema } from '../protocol/schema.ts';
import type { Clock } from '../shared/clock.ts';
import type { Random } from '../shared/random.ts';
import type { FieldRightsOf } from './access/field-access.ts';
import type { ConcurrencyLimits } from './admission.ts';
import type { AfterCommitHook, PrepareHook } from './around-hooks.ts';
import type { HintBus } from './hint-bus.ts';
import type { Authenticate } from './principal.ts';
import type { ObjectHooks } from './save-hooks.ts';
import type { ServerLogEvent } from './server-parts.ts';
import type { ServerRules } from './server-rules.ts';
import type { ServerStore } from './store/server-store.ts';
import type { AuthCacheOptions } from './token-cache.ts';
import type { CanSee, InScope } from './visibility.ts';

/** How to make a sync server. */
export interface SyncServerOptions<S extends Schema = Schema> {
  /** What is exchanged, made with `defineSchema`. */
  readonly schema: S;
  /** Where records, receipts and feeds are kept. The host opens and closes it. */
  readonly store: ServerStore;
  /** Says who sent a request; asked anew for each, unless `authCache` says otherwise. */
  readonly authenticate: Authenticate;
  /** Lets an answer of `authenticate` count for later requests with the same token. @defaultValue none does */
  readonly authCache?: AuthCacheOptions;
  /** The host's save logic, by object (rule A25). */
  readonly objects?: { readonly [O in ObjectName<S>]?: ObjectHooks<S, O> };
  /** Runs before the transaction of each save: the place for calls to other services (rule A25). @defaultValue none */
  readonly prepare?: PrepareHook;
  /** Runs once after each decision, for consequences outside (rule A25). @defaultValue none */
  readonly afterCommit?: AfterCommitHook;
  /** Says which records a user may see. @defaultValue all of the tenant's */
  readonly canSee?: CanSee;
  /**
   * Says which of those a user's devices download. The feed brings what user devices saved whatever this says (rule A32).
   * @defaultValue all that the user may see
   */
  readonly inScope?: InScope;
  /** Says what a user may do with fields: by object and field, where it is less than `'write'` (rule A20). @defaultValue all may be read and written */
  readonly fields?: FieldRightsOf<S>;
  /** Refuses references to records that do not exist; those to a parent always must. @defaultValue false */
  readonly strictReferences?: boolean;
  /** Part of the path before the endpoint, such as `/api/sync`; other paths are not found. @defaultValue any */
  readonly basePath?: string;
  /**
   * The most that a message may hold; devices are told. @defaultValue bodies of 8 MiB, 500 entries of at most 2 000 changes and 4 MiB, pages
   * of 500 records
   */
  readonly limits?: Partial<ProtocolLimits>;
  /** How long entries stay on feeds, in milliseconds (rule A31). @defaultValue 604_800_000, seven days */
  readonly retentionMs?: number;
  /** How long receipts are kept, in milliseconds; longer than any device's queue stays unsent. @defaultValue 7_776_000_000, ninety days */
  readonly receiptRetentionMs?: number;
  /**
   * How long what saves replaced unseen is kept for `online.listOverwritten`, in milliseconds (rule A22); `Infinity` for ever.
   * @defaultValue 31_536_000_000, a year
   */
  readonly auditRetentionMs?: number;
  /** When devices poll next, in milliseconds (rule A33). @defaultValue null, each device's own interval */
  readonly nextPollMs?: number | null;
  /**
   * Tells devices that are connected when there is something to poll for. One server has enough of `memoryHintBus()`; several need a bus
   * between them. @defaultValue none, devices poll at their interval
   */
  readonly hints?: HintBus;
  /** How many requests of each kind are worked on at once; those beyond are answered 503 before anything is done for them. */
  readonly maxConcurrent?: Partial<ConcurrencyLimits>;
  /**
   * The least time between two look-ups for polls of one tenant, in milliseconds; polls that come meanwhile share the next. 0 for none, as
   * tests want it whose clock stands still. @defaultValue 4
   */
  readonly pollSharingMs?: number;
  /** How long one hook inside the transaction may take, in milliseconds. @defaultValue 10_000 */
  readonly hookTimeoutMs?: number;
  /** How long `prepare` may take, in milliseconds; devices wait 30 seconds for an answer by default. @defaultValue `hookTimeoutMs` */
  readonly prepareTimeoutMs?: number;
  /** How long `afterCommit` may take before it counts as failed, in milliseconds. @defaultValue `hookTimeoutMs` */
  readonly afterCommitTimeoutMs?: number;
  /** Hears what goes wrong. @defaultValue nobody */
  readonly log?: (event: ServerLogEvent) => void;
  /** @internal */
  readonly core?: Core;
  /** The time, for tests in virtual time. @defaultValue the platform's clock */
  readonly clock?: Clock;
  /** Where ids come from, for tests that repeat a run. @defaultValue the platform's cryptographic source */
  readonly random?: Random;
  /** @internal */
  readonly rules?: Partial<ServerRules>;
}
