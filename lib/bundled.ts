/** The remedy if a bundler included this package in a program's file. */
export const bundledMessage =
  'gemmine was bundled into a program, and a bundle cannot hold the compiled part of gemmine. ' +
  'Leave the package out of the bundle and install it where the program runs. ' +
  'esbuild: --external:gemmine; Bun, Deno, ncc: --external gemmine; webpack, Rspack: externals: { gemmine: "commonjs gemmine" }; ' +
  'Rollup, Vite: external: ["gemmine"]; Next.js: serverExternalPackages: ["gemmine"]; Parcel: includeNodeModules: { gemmine: false }'
