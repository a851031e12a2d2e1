// Part of npm run lint: layers, packages and globals of src/ and bindings/ against scripts/layers/rules.mjs.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { checkLayers } from './layers/check-layers.mjs';

const paths = ['src', 'bindings'].filter((folder) => existsSync(folder)).flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.generated.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
);
const violations = checkLayers(new Map(paths.map((path) => [path, readFileSync(path, 'utf8')])));
for (const { path, line, message } of violations) console.error(`${path}:${line}  ${message}`);
console.log(`layers: ${paths.length} files, ${violations.length} violations`);
process.exit(violations.length > 0 ? 1 : 0);
