import binaryen from 'binaryen';
import type { CoreExports } from '../../src/core/wasm-exports.ts';

/** What a module read of its memory: how often, and how often within the bytes that are watched. */
export interface Loads {
  all: number;
  watched: number;
}

/** A module whose loads are counted: the cost of a call as a number that is the same on every machine. */
export interface CountedModule<E> {
  readonly exports: E;
  /** Counts the loads of a call, of which those from `from` up to `to` are watched. */
  count(call: () => void, from?: number, to?: number): Loads;
}

/** Puts a call before each load of a module, and instantiates it. */
export function countLoads<E = CoreExports>(wasm: Uint8Array): CountedModule<E> {
  const module = binaryen.readBinary(wasm);
  module.setFeatures(binaryen.Features.All);
  module.runPasses(['instrument-memory']);
  const instrumented = new WebAssembly.Module(new Uint8Array(module.emitBinary()));
  module.dispose();
  let loads: Loads = { all: 0, watched: 0 }, watchedFrom = 0, watchedTo = 0;
  const noted: Readonly<Record<string, (...args: number[]) => number>> = {
    load_ptr: (_id, _bytes, offset, address) => {
      const at = address! + offset!;
      loads.all++;
      if (at >= watchedFrom && at < watchedTo) loads.watched++;
      return address!;
    },
    store_ptr: (_id, _bytes, _offset, address) => address!,
    memory_grow_pre: (_id, pages) => pages!,
    memory_grow_post: (_id, pages) => pages!,
  };
  const passedOn = (_id: number, value: unknown): unknown => value;
  const imports = Object.fromEntries(WebAssembly.Module.imports(instrumented).map(({ name }) => [name, noted[name] ?? passedOn]));
  const instance = new WebAssembly.Instance(instrumented, { env: imports as WebAssembly.ModuleImports });
  return {
    exports: instance.exports as unknown as E,
    count(call, from = 0, to = 0) {
      [loads, watchedFrom, watchedTo] = [{ all: 0, watched: 0 }, from, to];
      call();
      return loads;
    },
  };
}
