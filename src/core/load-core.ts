import { instantiate, instantiateSync } from '@assemblyscript/loader';
import type { Random } from '../shared/random.ts';
import { CORE_WASM_HEX } from './core-bytes.generated.ts';
import type { Core, CoreBuild } from './core.ts';
import { createTwinCore } from './twin.ts';
import { createWasmCore, type CoreDiagnostic } from './wasm-core.ts';
import type { CoreExports } from './wasm-exports.ts';

export interface LoadCoreOptions {
  /** Seeds hash tables. */
  readonly random: Random;
  /** A compiled module of the core, for a host that compiles it itself. */
  readonly module?: WebAssembly.Module;
  /** Bytes of another build than the inlined scalar one, the SIMD build as a rule; left aside where the engine does not take them. */
  readonly bytes?: BufferSource;
  /** What the given module or bytes are; `twin` asks for the plain TypeScript core. @defaultValue `simd` for bytes, else `scalar` */
  readonly build?: CoreBuild;
  /** Told when an instance trapped, memory was refused, or WebAssembly is not to be had. */
  readonly onDiagnostic?: (diagnostic: CoreDiagnostic) => void;
}

/**
 * Loads the core: the Wasm build that fits, or its twin where WebAssembly is missing or blocked. The only file that knows the
 * AssemblyScript loader (which wants a TextDecoder of UTF-16 when it is imported: hosts without one import twin.ts instead).
 */
export async function loadCore(options: LoadCoreOptions): Promise<Core> {
  const { random, onDiagnostic } = options;
  if (options.build === 'twin') return createTwinCore();
  try {
    const { source, build } = chooseBuild(options);
    const { module, instance } = await instantiate(source);
    const nextInstance = () => exportsOf(instantiateSync(module).instance);
    return createWasmCore({ build, instance: exportsOf(instance), instantiate: nextInstance, random, onDiagnostic });
  } catch (cause) {
    onDiagnostic?.({ kind: 'wasm-unavailable', answeredBy: 'twin', cause });
    return createTwinCore();
  }
}

function chooseBuild({ module, bytes, build }: LoadCoreOptions): { source: WebAssembly.Module | BufferSource; build: Exclude<CoreBuild, 'twin'> } {
  const given = build === 'twin' ? undefined : build;
  if (module !== undefined) return { source: module, build: given ?? 'scalar' };
  if (bytes !== undefined && WebAssembly.validate(bytes)) return { source: bytes, build: given ?? 'simd' };
  return { source: decodeHex(CORE_WASM_HEX), build: 'scalar' };
}

function decodeHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: text.length / 2 }, (_byte, index) => Number.parseInt(text.slice(index * 2, index * 2 + 2), 16));
}

// The loader's own exports wrap every function for managed objects, of which the core has none.
function exportsOf(instance: WebAssembly.Instance): CoreExports {
  return instance.exports as unknown as CoreExports;
}
