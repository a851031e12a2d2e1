import { describeCores } from './describe-cores.ts';

const read = async (url: URL): Promise<ArrayBuffer> => {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url.pathname}: ${answer.status}`);
  return answer.arrayBuffer();
};

describeCores({
  twin: async () => undefined,
  device: async () => undefined,
  scalar: () => read(new URL('../../build/core.wasm', import.meta.url)),
  simd: () => read(new URL('../../build/core.simd.wasm', import.meta.url)),
});
