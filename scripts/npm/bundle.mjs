/**
 * Bundles the sources for npm: JavaScript for Node 22, and one declaration file. Prints the packages that
 * they import, as JSON. Runs on Node, where tsdown is installed; called by scripts/npm.ts.
 */
import process from "node:process";

// Not a static import: tsdown is installed next to the copy of this file that runs, not in this project.
const bundler = "tsdown";
const { build } = await import(bundler);

const [root, outDir] = process.argv.slice(2);

/** Bare specifiers, other than those of the runtimes. */
const imported = new Set();
const collectImports = {
  name: "collect-imports",
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue;
      for (const name of [...chunk.imports, ...chunk.dynamicImports]) {
        if (!(name in bundle) && !/^(node|bun):/.test(name)) {
          imported.add(name.match(/^(@[^/]+\/)?[^/]+/)[0]);
        }
      }
    }
  },
};

await build({
  cwd: root,
  config: false,
  tsconfig: false,
  entry: { mod: `${root}/mod.ts`, main: `${root}/main.ts` },
  outDir,
  format: "esm",
  platform: "node",
  target: "node22.13",
  // The library's declarations only need what is written down, as JSR's do.
  dts: { generator: "oxc" },
  // The helpers of `using` become part of the package.
  deps: { neverBundle: [/^(?!@oxc-project\/runtime)[^./\0]/] },
  outExtensions: () => ({ js: ".js", dts: ".d.ts" }),
  plugins: [collectImports],
  logLevel: "silent",
});
process.stdout.write(JSON.stringify([...imported].sort()));
