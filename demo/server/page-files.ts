import { build } from 'esbuild';
import type { ServerResponse } from 'node:http';
import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';

/** The files of the page, held in memory; the SDK's own come from dist/. */
export interface PageFiles {
  /** Answers a GET; `false` when there is no such file. */
  serve(path: string, response: ServerResponse): boolean;
}

interface PageFile {
  readonly type: string;
  readonly body: string | Uint8Array;
}

// A device's worker: the connection it runs over first, then the SDK's own worker, exactly as it is published.
const DEVICE_WORKER = "import '/assets/shape-network.js';\nimport '/sdk/worker/worker.js';\n";

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20" fill="none" stroke="#0b8583" stroke-width="2.2" stroke-linecap="round">
<path d="M1.5 8c2.1-3.4 4.4-3.4 6.4 0s4.3 3.4 6.4 0 3-2.8 4.2-1.8"/><path d="M1.5 14c2.1-3.4 4.4-3.4 6.4 0s4.3 3.4 6.4 0 3-2.8 4.2-1.8"/></svg>`;

const TYPES: Readonly<Record<string, string>> = { js: 'text/javascript', css: 'text/css', wasm: 'application/wasm', html: 'text/html; charset=utf-8', map: 'application/json', svg: 'image/svg+xml' };

/** What the page may load: itself, WebAssembly, and workers. It is all that a host has to allow. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:";

/** Bundles the page from `demo/page`; paths are relative to the repository, where the program runs. */
export async function loadPageFiles(): Promise<PageFiles> {
  const result = await build({
    entryPoints: { 'page': 'demo/page/main.ts', 'shape-network': 'demo/page/device/shape-network.ts', 'page-style': 'demo/page/style/page.css' },
    absWorkingDir: process.cwd(),
    outdir: 'assets',
    bundle: true,
    write: false,
    format: 'esm',
    splitting: true,
    target: 'es2022',
    sourcemap: true,
    logLevel: 'warning',
  });
  const files = new Map<string, PageFile>([
    ['/', { type: TYPES.html!, body: readFileSync('demo/page/index.html') }],
    ['/assets/icon.svg', { type: TYPES.svg!, body: ICON }],
    ['/assets/device-worker.js', { type: TYPES.js!, body: DEVICE_WORKER }],
    ...result.outputFiles.map(({ path, contents }) => [`/assets/${path.split(/[\\/]/).at(-1)!}`, { type: typeOf(path), body: contents }] as const),
  ]);

  return {
    serve(path, response) {
      const file = files.get(path) ?? readSdkFile(path);
      if (file === null) return false;
      response.writeHead(200, { 'content-type': file.type, 'cache-control': 'no-cache', 'content-security-policy': POLICY });
      response.end(file.body);
      return true;
    },
  };
}

function readSdkFile(path: string): PageFile | null {
  if (!path.startsWith('/sdk/')) return null;
  const inside = normalize(path.slice('/sdk/'.length));
  if (inside.startsWith('..') || TYPES[extensionOf(inside)] === undefined) return null;
  try {
    return { type: typeOf(inside), body: readFileSync(join('dist', inside)) };
  } catch {
    return null;
  }
}

function typeOf(path: string): string {
  return TYPES[extensionOf(path)] ?? 'application/octet-stream';
}

function extensionOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}
