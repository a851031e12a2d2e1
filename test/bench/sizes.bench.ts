// The sizes of every artefact that a page may load, raw and compressed, as the size budgets name them.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { reportSkip, reportTable } from './report.ts';

interface Budget {
  readonly name: string;
  readonly path: string | readonly string[];
  readonly limit: string;
}

const kilobytes = (bytes: number): string => (bytes / 1_000).toFixed(2);

if (!existsSync('dist/worker/worker.js')) reportSkip('sizes', 'nothing is built: npm run build comes first');
else {
  const { default: budgets } = (await import(pathToFileURL('.size-limit.mjs').href)) as { default: readonly Budget[] };
  reportTable({
    id: 'sizes',
    title: 'Sizes of what was built',
    columns: ['what', 'files', 'KB', 'KB, gzip', 'budget, gzip'],
    rows: budgets.map(({ name, path, limit }) => {
      const files = typeof path === 'string' ? [path] : path;
      const raw = files.reduce((sum, file) => sum + statSync(file).size, 0);
      const compressed = files.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0);
      return [name, String(files.length), kilobytes(raw), kilobytes(compressed), limit];
    }),
  });
}
