/// <reference lib="esnext.disposable" preserve="true" />

/** Lets `await using` close something. Older platforms have no such symbol; `await using` compiled for them brings its own. */
export function withAsyncDispose<T extends object>(closeable: T, close: () => Promise<void>): T & { [Symbol.asyncDispose](): Promise<void> } {
  return Object.assign(closeable, Symbol.asyncDispose && { [Symbol.asyncDispose]: close }) as T & { [Symbol.asyncDispose](): Promise<void> };
}
