import { SEED_BYTES } from '../../assembly/layout.ts';
import { isFault, SyncFault } from '../shared/fault.ts';
import { forwardCalls } from '../shared/forward-calls.ts';
import type { Random } from '../shared/random.ts';
import { MemoryRefused } from './arena.ts';
import type { Core, CoreBuild } from './core.ts';
import type { CoreExports } from './wasm-exports.ts';
import { WasmSession } from './wasm-session.ts';

/** An instance that holds more than this after a call is let go: memory of an instance never shrinks. */
const KEPT_MEMORY_BYTES = 32 * 1024 * 1024;

/** Every call of a core. */
const CALLS = ['scanMessage', 'readImages', 'readChanges', 'validateRow', 'diffRows', 'diffBatch', 'checkEdit', 'checkBatch', 'applyEdit', 'planFeed'] as const;

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

export interface WasmCoreOptions {
  readonly build: Exclude<CoreBuild, 'twin'>;
  /** The instance to begin with. */
  readonly instance: CoreExports;
  /** Makes another instance of the same module. */
  readonly instantiate: () => CoreExports;
  /** Brings the twin, which is not loaded before it is needed. */
  readonly loadTwin: () => Promise<Core>;
  /** Seeds the hash tables. */
  readonly random: Random;
  readonly onDiagnostic?: ((diagnostic: CoreDiagnostic) => void) | undefined;
}

/**
 * Makes a core of a Wasm module. An instance that trapped is thrown away and the call made again on a new one; when that traps too, or
 * memory is refused, the twin answers: from the moment it is loaded. Until then such a call ends in a fault, and whoever made it tries
 * again, as after any other failure.
 */
export function createWasmCore({ build, instance, instantiate, loadTwin, random, onDiagnostic }: WasmCoreOptions): Core {
  const seed = random.bytes(SEED_BYTES);
  let twin: Core | null = null;
  let isTwinAsked = false;
  let session: WasmSession | null = new WasmSession(build, instance, seed);

  function answer<T>(call: (core: Core) => T): T {
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

  function ask<T>(call: (core: Core) => T): T {
    session ??= new WasmSession(build, instantiate(), seed);
    const result = call(session);
    if (session.memoryBytes > KEPT_MEMORY_BYTES) session = null;
    return result;
  }

  function giveUp<T>(call: (core: Core) => T, kind: CoreDiagnostic['kind'], cause: unknown): T {
    onDiagnostic?.({ kind, answeredBy: 'twin', cause });
    if (twin !== null) return call(twin);
    askForTwin();
    throw new SyncFault('CORE_TRAPPED', 'the core cannot answer this call, and the reference build is not loaded yet', { cause });
  }

  function askForTwin(): void {
    if (isTwinAsked) return;
    isTwinAsked = true;
    loadTwin().then(
      (core) => void (twin = core),
      () => void (isTwinAsked = false), // offline, perhaps: the next call that needs it asks again
    );
  }

  return {
    build,
    ...forwardCalls<Core, Exclude<keyof Core, 'build'>>(CALLS, answer),
  };
}
