import { describe, expect, test } from 'vitest';
import { isFault } from '../../src/shared/fault.ts';
import { climbDown, type Rung } from '../../src/worker/ladder.ts';

describe('the ladder', () => {
  const works = (kind: Rung<string>['kind']): Rung<string> => ({ kind, start: () => Promise.resolve(kind) });
  const breaks = (kind: Rung<string>['kind'], reason: string): Rung<string> => ({ kind, start: () => Promise.reject(new Error(reason)) });

  test('takes the first rung that starts, and tries nothing below it', async () => {
    const { place, report } = await climbDown([works('module-worker'), { kind: 'in-place', start: () => expect.unreachable() }]);

    expect(place).toBe('module-worker');
    expect(report).toEqual({ kind: 'module-worker', skipped: [] });
  });

  test('goes on after a rung that rejects or throws, and says why', async () => {
    const throws: Rung<string> = {
      kind: 'module-worker',
      start() {
        throw new DOMException('the operation is insecure', 'SecurityError');
      },
    };

    const { report } = await climbDown([breaks('host-worker', 'no such file'), throws, works('in-place')]);

    expect(report).toEqual({
      kind: 'in-place',
      skipped: [
        { kind: 'host-worker', reason: 'no such file' },
        { kind: 'module-worker', reason: 'the operation is insecure' },
      ],
    });
  });

  test('fails with every reason when no rung starts', async () => {
    const fault: unknown = await climbDown([breaks('blob-worker', 'blocked'), breaks('in-place', 'not shipped')]).catch((thrown: unknown) => thrown);

    expect(isFault(fault, 'WORKER_FAILED')).toBe(true);
    expect(fault).toMatchObject({ message: expect.stringContaining('blob-worker (blocked), in-place (not shipped)') as string, cause: { message: 'not shipped' } });
  });
});
