import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DEVICE_EDITION } from '../../src/core/device-session.ts';
import { loadCore } from '../../src/core/load-core.ts';
import type { CoreDiagnostic } from '../../src/core/wasm-core.ts';
import { WHOLE_EDITION } from '../../src/core/wasm-session.ts';
import { createLayout } from '../../src/protocol/layout.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { createSeededRandom } from '../support/seeded-random.ts';

const random = createSeededRandom(1);
const LAYOUT = createLayout('order', [{ name: 'name', type: 'text' }]);
const row = encodeRow(LAYOUT, { name: 'x' }), other = encodeRow(LAYOUT, { name: 'y' });

afterEach(() => vi.unstubAllGlobals());

describe('loading the core', () => {
  test('takes the inlined scalar build by default', async () => {
    const core = await loadCore(DEVICE_EDITION, { random });
    expect(core.build).toBe('scalar');
    expect(core.diffRows(LAYOUT, row, other)).toEqual(Uint8Array.of(1));
  });

  test('takes the SIMD build when its bytes are given and the engine takes them', async () => {
    expect((await loadCore(DEVICE_EDITION, { random, bytes: readFileSync('build/core.simd.wasm') })).build).toBe('simd');
  });

  test('stays with the scalar build when the engine does not take the bytes', async () => {
    expect((await loadCore(DEVICE_EDITION, { random, bytes: Uint8Array.of(0, 0x61, 0x73, 0x6d, 9, 9, 9, 9) })).build).toBe('scalar');
  });

  test('takes a module that the host has compiled', async () => {
    const module = new WebAssembly.Module(readFileSync('build/core.wasm'));
    expect((await loadCore(DEVICE_EDITION, { random, module })).build).toBe('scalar');
    expect((await loadCore(DEVICE_EDITION, { random, module, build: 'debug' })).build).toBe('debug');
  });

  test('of servers needs to be given a build, else the twin answers', async () => {
    const whole = await loadCore(WHOLE_EDITION, { random, bytes: readFileSync('build/core.wasm'), build: 'scalar' });
    expect(whole.build).toBe('scalar');
    expect(whole.validateRow(LAYOUT, row)).toEqual({ ok: true });
    const diagnostics: CoreDiagnostic[] = [];
    const without = await loadCore(WHOLE_EDITION, { random, onDiagnostic: (diagnostic) => diagnostics.push(diagnostic) });
    expect(without.build).toBe('twin');
    expect(diagnostics).toMatchObject([{ kind: 'wasm-unavailable', answeredBy: 'twin' }]);
  });

  test('takes the twin when asked to', async () => {
    expect((await loadCore(DEVICE_EDITION, { random, build: 'twin' })).build).toBe('twin');
  });

  test('falls back to the twin where there is no WebAssembly', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    const diagnostics: CoreDiagnostic[] = [];
    const core = await loadCore(DEVICE_EDITION, { random, onDiagnostic: (diagnostic) => diagnostics.push(diagnostic) });
    expect(core.build).toBe('twin');
    expect(core.diffRows(LAYOUT, row, other)).toEqual(Uint8Array.of(1));
    expect(diagnostics).toMatchObject([{ kind: 'wasm-unavailable', answeredBy: 'twin' }]);
  });

  test('falls back to the twin where a content security policy blocks compilation', async () => {
    const blocked = (): Promise<never> => Promise.reject(new WebAssembly.CompileError('Refused to compile or instantiate WebAssembly module'));
    vi.stubGlobal('WebAssembly', { ...WebAssembly, Module: WebAssembly.Module, compile: blocked, instantiate: blocked });
    const diagnostics: CoreDiagnostic[] = [];
    expect((await loadCore(DEVICE_EDITION, { random, onDiagnostic: (diagnostic) => diagnostics.push(diagnostic) })).build).toBe('twin');
    expect(diagnostics).toMatchObject([{ kind: 'wasm-unavailable', answeredBy: 'twin' }]);
  });
});
