import { BATCH_SIMD_WASM_DEFLATED, BATCH_WASM_DEFLATED } from './batch-bytes.generated.ts';
import { BATCH_EDITION } from './batch-session.ts';
import type { BatchCore } from './batch.ts';
import type { CoreBuild } from './core.ts';
import { chooseInlined, openWasmCore, type ChosenBuild, type CoreOptions } from './open-wasm-core.ts';

export interface LoadBatchCoreOptions extends CoreOptions {
  /** The build to load, for tests and benchmarks. @defaultValue `simd` where the engine takes it, else `scalar` */
  readonly build?: Exclude<CoreBuild, 'debug'>;
}

/**
 * The smallest module that has a vector in it: an engine without SIMD, such as JavaScriptCore without its compilers, does not take it.
 *   (module (func (result v128) i32.const 0 i8x16.splat))
 */
const SIMD_PROBE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 8, 1, 6, 0, 0x41, 0, 0xfd, 15, 0x0b);

/** Loads the core for large batches: the SIMD build, the scalar one, or its twin where there is no WebAssembly. */
export async function loadBatchCore(options: LoadBatchCoreOptions): Promise<BatchCore> {
  return options.build === 'twin' ? BATCH_EDITION.loadTwin() : openWasmCore(BATCH_EDITION, options, () => chooseBuild(options.build));
}

async function chooseBuild(asked: LoadBatchCoreOptions['build']): Promise<ChosenBuild> {
  const hasSimd = asked === undefined ? WebAssembly.validate(SIMD_PROBE) : asked === 'simd';
  const { source } = await chooseInlined(hasSimd ? BATCH_SIMD_WASM_DEFLATED : BATCH_WASM_DEFLATED);
  return { source, build: hasSimd ? 'simd' : 'scalar' };
}
