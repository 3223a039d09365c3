/** What to do where a bundler took this package into a program's own file. */
export const bundledMessage =
  'gemmine was bundled into a program, and a bundle cannot hold the compiled part of gemmine. ' +
  'Leave the package out of the bundle and install it where the program runs. ' +
  'esbuild: --external:gemmine; Bun, ncc: --external gemmine; webpack: externals: { gemmine: "commonjs gemmine" }; ' +
  'Rollup, Vite: external: ["gemmine"]; Next.js: serverExternalPackages: ["gemmine"]'
