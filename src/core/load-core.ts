import type { CoreBuild } from './core.ts';
import { chooseInlined, openWasmCore, type ChosenBuild, type CoreOptions } from './open-wasm-core.ts';
import type { AnyCore, CoreEdition } from './wasm-core.ts';

export interface LoadCoreOptions extends CoreOptions {
  /** A compiled module of the core, for a host that compiles it itself. */
  readonly module?: WebAssembly.Module;
  /** Bytes of another build than the inlined one, the SIMD build as a rule; left aside where the engine does not take them. */
  readonly bytes?: BufferSource;
  /** What the given module or bytes are; `twin` asks for the plain TypeScript core. @defaultValue `simd` for bytes, else `scalar` */
  readonly build?: CoreBuild;
}

/**
 * Loads an edition of the core: the given build, else the one that it carries, else its twin. The only file that knows the AssemblyScript
 * loader (which wants a TextDecoder of UTF-16 when it is imported: hosts without one import twin.ts instead).
 */
export async function loadCore<C extends AnyCore>(edition: CoreEdition<C>, options: LoadCoreOptions): Promise<C> {
  return options.build === 'twin' ? edition.loadTwin() : openWasmCore(edition, options, () => chooseBuild(options, edition.inlined));
}

async function chooseBuild({ module, bytes, build }: LoadCoreOptions, inlined: string | undefined): Promise<ChosenBuild> {
  const given = build === 'twin' ? undefined : build;
  const instantiate = given === 'debug' ? { instantiateSync: await loadDebugInstantiate() } : {};
  if (module !== undefined) return { source: module, build: given ?? 'scalar', ...instantiate };
  if (bytes !== undefined && WebAssembly.validate(bytes)) return { source: bytes, build: given ?? 'simd', ...instantiate };
  return chooseInlined(inlined);
}

/**
 * AssemblyScript's own loader instantiates the debug build: should an assertion ever be compiled into it, the loader says which, and
 * where. This is the only place that knows it; it is a file of its own, which no release loads.
 */
async function loadDebugInstantiate(): Promise<(module: WebAssembly.Module) => WebAssembly.Instance> {
  const { instantiateSync } = await import('@assemblyscript/loader');
  return (module) => instantiateSync(module).instance;
}
