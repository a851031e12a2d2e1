import type { Random } from '../shared/random.ts';
import type { CoreBuild } from './core.ts';
import { createWasmCore, type AnyCore, type CoreDiagnostic, type CoreEdition } from './wasm-core.ts';
import type { WasmMemory } from './wasm-exports.ts';

/** What every way of loading a core is given. */
export interface CoreOptions {
  /** Seeds hash tables. */
  readonly random: Random;
  /** Told when an instance trapped, memory was refused, or WebAssembly is not to be had. */
  readonly onDiagnostic?: (diagnostic: CoreDiagnostic) => void;
}

/** A Wasm build, compiled or not. */
export interface ChosenBuild {
  readonly source: WebAssembly.Module | BufferSource;
  readonly build: Exclude<CoreBuild, 'twin'>;
  /** For a build that imports something; release builds export plain functions and nothing else. */
  readonly instantiateSync?: (module: WebAssembly.Module) => WebAssembly.Instance;
}

/** Opens the core over the build that is chosen, or its twin where there is none, or WebAssembly is missing or blocked. */
export async function openWasmCore<C extends AnyCore>(edition: CoreEdition<C>, { random, onDiagnostic }: CoreOptions, choose: () => Promise<ChosenBuild>): Promise<C> {
  const loadTwin = (): Promise<C> => edition.loadTwin();
  try {
    const { source, build, instantiateSync } = await choose();
    const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
    const instantiate = () => exportsOf(instantiateSync?.(module) ?? new WebAssembly.Instance(module));
    // The first one asynchronously: on a page's thread an engine may not make large ones in place.
    const instance = instantiateSync === undefined ? exportsOf(await WebAssembly.instantiate(module)) : instantiate();
    return createWasmCore({ edition, build, instance, instantiate, loadTwin, random, onDiagnostic });
  } catch (cause) {
    onDiagnostic?.({ kind: 'wasm-unavailable', answeredBy: 'twin', cause });
    return loadTwin();
  }
}

/** Opens the scalar build that an edition carries. */
export function openInlinedCore<C extends AnyCore>(edition: CoreEdition<C>, options: CoreOptions): Promise<C> {
  return openWasmCore(edition, options, () => chooseInlined(edition.inlined));
}

/** An engine too old for `DecompressionStream` gets the twin, like one without WebAssembly. */
export async function chooseInlined(inlined: string | undefined): Promise<ChosenBuild> {
  if (inlined === undefined) throw new Error('no build was given that this engine takes');
  const deflated = Uint8Array.from(atob(inlined), (character) => character.charCodeAt(0));
  const source = await new Response(new Response(deflated).body!.pipeThrough(new DecompressionStream('deflate-raw'))).arrayBuffer();
  return { source, build: 'scalar' };
}

function exportsOf(instance: WebAssembly.Instance): WasmMemory {
  return instance.exports as unknown as WasmMemory;
}
