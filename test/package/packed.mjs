/**
 * The package as users get it: packed, installed elsewhere, and used from there. Run by `.ci/run`, because it installs
 * dependencies; `npm test` does not need a registry.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sakuraio-packed-"));
const npm = process.platform === "win32" ? "npm.cmd" : "npm";
const run = (command, args, options = {}) =>
  execFileSync(command, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], ...options });

try {
  const [packed] = JSON.parse(
    run(npm, ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: root }),
  );
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "elsewhere", private: true, type: "module" }));
  run(npm, ["install", "--no-audit", "--no-fund", join(folder, packed.filename)]);

  const sakuraio = join(folder, "node_modules", ".bin", "sakuraio");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  assert.equal(run(sakuraio, ["--version"]).trim(), version);

  writeFileSync(
    join(folder, "use.mjs"),
    `import { encodeRequest, toHex } from "sakuraio-kit/protocol";
     import { SakuraModule } from "sakuraio-kit/host";
     import { EmulatedModule, attachUart, listenTcp } from "sakuraio-kit/emulator";
     const listener = await listenTcp({ host: "127.0.0.1", port: 0 });
     const emulated = new EmulatedModule({ uniqueId: "16B0100260" });
     listener.onConnection((duplex) => attachUart(emulated, duplex));
     const module = await SakuraModule.open(listener.uri);
     console.log(toHex(encodeRequest("GET_UNIQUE_ID", undefined)), await module.getUniqueId());
     await module.close();
     await listener.close();`,
  );
  assert.equal(run(process.execPath, ["use.mjs"]).trim(), "A100A1 16B0100260");

  writeFileSync(
    join(folder, "use.ts"),
    `import { type RequestOf } from "sakuraio-kit/protocol";
     import { SakuraModule } from "sakuraio-kit/host";
     import { EmulatedModule } from "sakuraio-kit/emulator";
     import { type Firmware, runFirmware } from "sakuraio-kit/avr";
     const request: RequestOf<"TX_ENQUEUE"> = { channel: 1, type: "l", value: 1n };
     // @ts-expect-error an l takes a bigint
     const wrong: RequestOf<"TX_ENQUEUE"> = { channel: 1, type: "l", value: 1 };
     export const pin = (firmware: Firmware): "high" | "low" | "floating" => firmware.pins.level("D13");
     export const all = [request, wrong, SakuraModule, EmulatedModule, runFirmware];`,
  );
  const tsc = join(root, "node_modules", ".bin", "tsc");
  run(
    tsc,
    [
      "--noEmit",
      "--strict",
      "--module",
      "nodenext",
      "--skipLibCheck",
      "--types",
      "",
      "--target",
      "es2023",
      "--ignoreConfig",
      "use.ts",
    ],
    {
      stdio: ["ignore", "inherit", "inherit"],
    },
  );

  const demo = spawnSync(sakuraio, ["demo", "--messages", "2", "--json", "--interval", "10"], {
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.equal(demo.status, 0, demo.stderr);
  const events = demo.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(events.filter(({ event }) => event === "received").length, 2);
  process.stdout.write(
    `${packed.filename}: ${packed.files.length} files, ${packed.size} bytes; its command and three subpaths work elsewhere\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
