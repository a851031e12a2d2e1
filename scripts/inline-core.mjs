// Writes the device's core into a TypeScript file, so that one JavaScript file carries it wherever it is loaded from.
import { readFileSync, writeFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';

const SOURCE = 'build/core.device.wasm';
const TARGET = 'src/core/core-bytes.generated.ts';

export function inlineCore() {
  const bytes = readFileSync(SOURCE);
  // Deflated before it becomes text: gzip finds nothing in Base64 of plain bytes, so the worker would carry 1.3 KB more.
  const text = deflateRawSync(bytes, { level: 9 }).toString('base64');
  writeFileSync(
    TARGET,
    `// Written by scripts/inline-core.mjs from ${SOURCE}; not in git.\n` +
      `/** The core of devices: raw deflate, then Base64. */\nexport const CORE_WASM_DEFLATED: string =\n  '${text}';\n`,
  );
  console.log(`build:core: ${bytes.length} bytes of Wasm inlined in ${TARGET}`);
}
