// Writes the scalar core into a TypeScript file, so that one JavaScript file carries it wherever it is loaded from.
import { readFileSync, writeFileSync } from 'node:fs';

const SOURCE = 'build/core.wasm';
const TARGET = 'src/core/core-bytes.generated.ts';

export function inlineCore() {
  const bytes = readFileSync(SOURCE);
  writeFileSync(
    TARGET,
    // Hexadecimal, not Base64: a byte keeps its shape, so gzip still finds what repeats (5.7 KB instead of 7.1 KB).
    `// Written by scripts/inline-core.mjs from ${SOURCE}; not in git.\n` +
      `export const CORE_WASM_HEX: string =\n  '${bytes.toString('hex')}';\n`,
  );
  console.log(`build:core: ${bytes.length} bytes of Wasm inlined in ${TARGET}`);
}
