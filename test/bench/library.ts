import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Loads a package of test/bench. Its own types are not used: they are not there for whoever type-checks without having installed the
 * contenders, so a contender states what it calls.
 *
 * @throws {@link Error} when it is not installed, or does not run on this Node.
 */
export async function library<Exports>(name: string): Promise<Exports> {
  return (await import(name)) as Exports;
}

/** The same for a package whose folders only `require` finds. */
export function commonJsLibrary<Exports>(name: string): Exports {
  return createRequire(process.argv[1]!)(name) as Exports;
}

/** The installed version of a package of test/bench; `null` when there is none. */
export function versionOfLibrary(name: string): string | null {
  for (const folder of createRequire(process.argv[1]!).resolve.paths(name) ?? []) {
    try {
      return (JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')) as { version: string }).version;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}
