/**
 * The command line in few files: a start then reads no hundreds of them. zod and commander are in it, cut down to what is
 * used (whole, zod alone takes longer to load than a short command may); every other library stays what it is.
 */
import { defineConfig } from "rolldown";

const BUNDLED = /^(zod|commander)(\/|$)/;
const OWN = /^[./]|^[A-Za-z]:\\/;

export default defineConfig({
  input: "host/cli/main.ts",
  platform: "node",
  external: (id) => !OWN.test(id) && !BUNDLED.test(id),
  output: { dir: "dist/host/cli", format: "esm", sourcemap: true, cleanDir: true },
});
