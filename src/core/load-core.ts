import type { Random } from '../shared/random.ts';
import type { CoreBuild, DeviceCore } from './core.ts';
import { createWasmCore, type CoreDiagnostic, type CoreEdition } from './wasm-core.ts';
import type { CoreExports } from './wasm-exports.ts';

export interface LoadCoreOptions {
  /** Seeds hash tables. */
  readonly random: Random;
  /** A compiled module of the core, for a host that compiles it itself. */
  readonly module?: WebAssembly.Module;
  /** Bytes of another build than the inlined one, the SIMD build as a rule; left aside where the engine does not take them. */
  readonly bytes?: BufferSource;
  /** What the given module or bytes are; `twin` asks for the plain TypeScript core. @defaultValue `simd` for bytes, else `scalar` */
  readonly build?: CoreBuild;
  /** Told when an instance trapped, memory was refused, or WebAssembly is not to be had. */
  readonly onDiagnostic?: (diagnostic: CoreDiagnostic) => void;
}

/**
 * Loads an edition of the core: the Wasm build that fits, or its twin where WebAssembly is missing or blocked. The only file that knows
 * the AssemblyScript loader (which wants a TextDecoder of UTF-16 when it is imported: hosts without one import twin.ts instead).
 */
export async function loadCore<C extends DeviceCore>(edition: CoreEdition<C>, options: LoadCoreOptions): Promise<C> {
  const { random, onDiagnostic } = options;
  const loadTwin = (): Promise<C> => edition.loadTwin();
  if (options.build === 'twin') return loadTwin();
  try {
    const { source, build } = await chooseBuild(options, edition.inlined);
    const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
    const instantiateSync = build === 'debug' ? await loadDebugInstantiate() : instantiateRelease;
    // The first one asynchronously: on a page's thread an engine may not make large ones in place.
    const instance = exportsOf(build === 'debug' ? instantiateSync(module) : await WebAssembly.instantiate(module));
    const instantiate = () => exportsOf(instantiateSync(module));
    return createWasmCore({ edition, build, instance, instantiate, loadTwin, random, onDiagnostic });
  } catch (cause) {
    onDiagnostic?.({ kind: 'wasm-unavailable', answeredBy: 'twin', cause });
    return loadTwin();
  }
}

/** A Wasm build, compiled or not. */
interface ChosenBuild {
  readonly source: WebAssembly.Module | BufferSource;
  readonly build: Exclude<CoreBuild, 'twin'>;
}

async function chooseBuild({ module, bytes, build }: LoadCoreOptions, inlined: string | undefined): Promise<ChosenBuild> {
  const given = build === 'twin' ? undefined : build;
  if (module !== undefined) return { source: module, build: given ?? 'scalar' };
  if (bytes !== undefined && WebAssembly.validate(bytes)) return { source: bytes, build: given ?? 'simd' };
  if (inlined === undefined) throw new Error('no build was given that this engine takes');
  return { source: await inflate(inlined), build: 'scalar' };
}

/** An engine too old for `DecompressionStream` gets the twin, like one without WebAssembly. */
async function inflate(base64: string): Promise<ArrayBuffer> {
  const deflated = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Response(new Response(deflated).body!.pipeThrough(new DecompressionStream('deflate-raw'))).arrayBuffer();
}

type Instantiate = (module: WebAssembly.Module) => WebAssembly.Instance;

// The release builds import nothing and export plain functions: there is nothing for a loader to do.
const instantiateRelease: Instantiate = (module) => new WebAssembly.Instance(module);

/**
 * AssemblyScript's own loader instantiates the debug build: should an assertion ever be compiled into it, the loader says which, and
 * where. This is the only place that knows it; it is a file of its own, which no release loads.
 */
async function loadDebugInstantiate(): Promise<Instantiate> {
  const { instantiateSync } = await import('@assemblyscript/loader');
  return (module) => instantiateSync(module).instance;
}

function exportsOf(instance: WebAssembly.Instance): CoreExports {
  return instance.exports as unknown as CoreExports;
}
