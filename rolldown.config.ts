/**
 * The command line in few files: a start then reads no hundreds of them. Libraries that many commands use are in it, cut
 * down to what is used: whole, zod alone takes longer to load than a short command may, yaml is 72 files, and serialport
 * brings a dozen parsers. What is compiled, and what few commands use, stays what it is.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "rolldown";

const BUNDLED = /^(zod|commander|yaml|serialport|@serialport\/(stream|parser-[a-z-]+|binding-mock))(\/|$)/;
const OWN = /^[./]|^[A-Za-z]:\\/;

/** Their licenses go where their code goes. */
const licenses: Plugin = {
  name: "licenses",
  generateBundle(_options, bundle) {
    const folders = new Set<string>();
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue;
      for (const id of chunk.moduleIds) {
        const folder = /^.*[\\/]node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0];
        if (folder) folders.add(folder);
      }
    }
    const texts = [...folders].sort().flatMap((folder) => {
      const name = folder.replace(/^.*[\\/]node_modules[\\/]/, "").replaceAll("\\", "/");
      return readdirSync(folder)
        .filter((file) => /^licen[cs]e/i.test(file))
        .map((file) => `${name}\n\n${readFileSync(join(folder, file), "utf8")}`);
    });
    this.emitFile({ type: "asset", fileName: "LICENSES.txt", source: texts.join("\n\n") });
  },
};

export default defineConfig({
  input: "host/cli/main.ts",
  platform: "node",
  external: (id) => !OWN.test(id) && !BUNDLED.test(id),
  plugins: [licenses],
  output: { dir: "dist/host/cli", format: "esm", sourcemap: true, cleanDir: true },
});
