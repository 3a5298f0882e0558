import { defineConfig } from 'vite';

export default defineConfig({
  base: '/ops/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../../../dist/ops-page',
    emptyOutDir: true,
    target: 'es2022',
    // Its scripts would be inline or a polyfill of what every browser of the target has.
    modulePreload: false,
    // Nothing becomes a data URL: the policy allows none for scripts and styles.
    assetsInlineLimit: 0,
  },
});
