// Writes Wasm builds into TypeScript files, so that one JavaScript file carries them wherever it is loaded from.
import { readFileSync, writeFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';

/**
 * The constants of each file: name, build, what it is.
 * @type {Readonly<Record<string, readonly (readonly [name: string, source: string, is: string])[]>>}
 */
const INLINED = {
  'core-bytes': [['CORE_WASM_DEFLATED', 'core.device.wasm', 'The core of devices']],
  'batch-bytes': [
    ['BATCH_WASM_DEFLATED', 'core.batch.wasm', 'The core for large batches, scalar'],
    ['BATCH_SIMD_WASM_DEFLATED', 'core.batch.simd.wasm', 'The core for large batches, SIMD'],
  ],
};

export function inlineCore() {
  for (const [file, constants] of Object.entries(INLINED)) {
    const target = `src/core/${file}.generated.ts`;
    const lines = constants.map(([name, source, is]) => {
      const bytes = readFileSync(`build/${source}`);
      console.log(`build:core: ${bytes.length} bytes of Wasm inlined in ${target}`);
      // Deflated before it becomes text: gzip finds nothing in Base64 of plain bytes, so the worker would carry 1.3 KB more.
      const text = deflateRawSync(bytes, { level: 9 }).toString('base64');
      return `/** ${is}: raw deflate, then Base64. */\nexport const ${name}: string =\n  '${text}';\n`;
    });
    writeFileSync(target, `// Written by scripts/inline-core.mjs; not in git.\n${lines.join('\n')}`);
  }
}
