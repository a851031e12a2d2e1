import { SEED_BYTES } from '../../assembly/layout.ts';
import { isFault, SyncFault } from '../shared/fault.ts';
import { forwardCalls } from '../shared/forward-calls.ts';
import type { Random } from '../shared/random.ts';
import { MemoryRefused } from './arena.ts';
import type { CoreBuild } from './core.ts';
import type { WasmMemory } from './wasm-exports.ts';

/** An instance that holds more than this after a call is let go: memory of an instance never shrinks. */
const KEPT_MEMORY_BYTES = 32 * 1024 * 1024;

/** Any core: it says which build answers. */
export interface AnyCore {
  readonly build: CoreBuild;
}

/** The core as somebody needs it: which calls it answers, and what answers them. */
export interface CoreEdition<C extends AnyCore> {
  readonly calls: readonly Exclude<keyof C, 'build'>[];
  /** Begins to call an instance; the seed is the secret key of its hash tables. */
  openSession(build: CoreBuild, exports: WasmMemory, seed: Uint8Array): Session<C>;
  loadTwin(): Promise<C>;
  /** The scalar build: raw deflate, then Base64. */
  readonly inlined?: string;
}

/** Calls one instance. `memoryBytes` is what that instance holds and the next call does not need. */
export type Session<C> = C & { readonly memoryBytes: number };

/** Something went wrong inside the core, and what it did about it. The answers are right all the same. */
export interface CoreDiagnostic {
  readonly kind:
    /** An instance trapped and was thrown away. */
    | 'trapped'
    /** The host would not give the core more memory. */
    | 'memory-refused'
    /** WebAssembly is missing, blocked by a content security policy, or does not take these bytes. */
    | 'wasm-unavailable';
  /** Who answers instead. */
  readonly answeredBy: CoreBuild;
  readonly cause: unknown;
}

export interface WasmCoreOptions<C extends AnyCore> {
  readonly edition: Pick<CoreEdition<C>, 'calls' | 'openSession'>;
  readonly build: Exclude<CoreBuild, 'twin'>;
  /** The instance to begin with. */
  readonly instance: WasmMemory;
  /** Makes another instance of the same module. */
  readonly instantiate: () => WasmMemory;
  /** Brings the twin, which is not loaded before it is needed. */
  readonly loadTwin: () => Promise<C>;
  /** Seeds the hash tables. */
  readonly random: Random;
  readonly onDiagnostic?: ((diagnostic: CoreDiagnostic) => void) | undefined;
}

/**
 * Makes a core of a Wasm module. An instance that trapped is thrown away and the call made again on a new one; when that traps too, or
 * memory is refused, the twin answers: from the moment it is loaded. Until then such a call ends in a fault, and whoever made it tries
 * again, as after any other failure.
 */
export function createWasmCore<C extends AnyCore>({ edition, build, instance, instantiate, loadTwin, random, onDiagnostic }: WasmCoreOptions<C>): C {
  const seed = random.bytes(SEED_BYTES);
  let twin: C | null = null;
  let isTwinAsked = false;
  let session: Session<C> | null = edition.openSession(build, instance, seed);

  function answer<T>(call: (core: C) => T): T {
    try {
      return ask(call);
    } catch (cause) {
      if (isFault(cause)) throw cause;
      session = null;
      if (cause instanceof MemoryRefused) return giveUp(call, 'memory-refused', cause);
      onDiagnostic?.({ kind: 'trapped', answeredBy: build, cause });
      askForTwin();
    }
    try {
      return ask(call);
    } catch (cause) {
      if (isFault(cause)) throw cause;
      session = null;
      return giveUp(call, cause instanceof MemoryRefused ? 'memory-refused' : 'trapped', cause);
    }
  }

  function ask<T>(call: (core: C) => T): T {
    session ??= edition.openSession(build, instantiate(), seed);
    const result = call(session);
    if (session.memoryBytes > KEPT_MEMORY_BYTES) session = null;
    return result;
  }

  function giveUp<T>(call: (core: C) => T, kind: CoreDiagnostic['kind'], cause: unknown): T {
    onDiagnostic?.({ kind, answeredBy: 'twin', cause });
    if (twin !== null) return call(twin);
    askForTwin();
    throw new SyncFault('CORE_TRAPPED', 'the core stopped, and its twin is not loaded yet', { cause });
  }

  function askForTwin(): void {
    if (isTwinAsked) return;
    isTwinAsked = true;
    loadTwin().then(
      (core) => void (twin = core),
      () => void (isTwinAsked = false), // offline, perhaps: the next call that needs it asks again
    );
  }

  return { build, ...forwardCalls<C, Exclude<keyof C, 'build'>>(edition.calls, answer) } as unknown as C;
}
