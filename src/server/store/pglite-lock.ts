import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { SyncFault } from '../../shared/fault.ts';

/** Holds a folder for this process. */
export interface FolderLock {
  release(): void;
}

interface Holder {
  readonly pid: number;
  /** When that process started, where the system tells: a pid alone may have been given to another process since. */
  readonly startedAt: string;
}

/**
 * Takes a folder for this process. PGlite does not guard its files: two processes on one folder lose each other's commits without a word.
 * The lock of a process that is gone is taken over.
 *
 * @throws SyncFault `STORAGE_LOCKED` while another process, or this one, holds it.
 */
export function lockFolder(path: string): FolderLock {
  const mine: Holder = { pid: process.pid, startedAt: startOf(process.pid) };
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(mine));
  try {
    // A link is made whole or not at all, and not over another.
    while (!tryLink(draft, path)) takeOverStale(path);
  } finally {
    rmSync(draft, { force: true });
  }
  return { release: () => rmSync(path, { force: true }) };
}

function tryLink(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === 'EEXIST') return false;
    throw thrown;
  }
}

function takeOverStale(path: string): void {
  const holder = readHolder(path);
  if (holder === null) return;
  if (isAlive(holder)) {
    throw new SyncFault('STORAGE_LOCKED', `the folder is in use by process ${holder.pid}`, { details: { pid: holder.pid } });
  }
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return; // Another process took it over first.
    throw thrown;
  }
  const taken = readHolder(aside);
  // Between the look and the rename another process may have taken the folder: give it back.
  if (taken !== null && isAlive(taken)) tryLink(aside, path);
  rmSync(aside, { force: true });
}

function readHolder(path: string): Holder | null {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder>;
    return { pid: Number(pid), startedAt: String(startedAt) };
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return null;
    return { pid: 0, startedAt: '' }; // Not written by us in full: nobody holds it.
  }
}

function isAlive({ pid, startedAt }: Holder): boolean {
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0); // Signal 0 only asks.
  } catch (thrown) {
    if (codeOf(thrown) === 'ESRCH') return false;
  }
  return startOf(pid) === startedAt;
}

/** When a process started, by Linux' own count; empty where the system does not say. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; what follows does not, and the start is the 22nd field of all.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function codeOf(thrown: unknown): string | undefined {
  return (thrown as Partial<NodeJS.ErrnoException> | null)?.code;
}
