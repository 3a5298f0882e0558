/**
 * As much of it as is used: the types of Node.js 20 leave it out, and the DOM's would bring the
 * whole browser along.
 */
declare namespace WebAssembly {
  function instantiate(
    bytes: Uint8Array,
    imports: Record<string, Record<string, unknown>>,
  ): Promise<{ instance: { exports: Record<string, unknown> } }>;
}
