/** What a short command loads: the libraries that it does not use would cost more than all the rest of its start. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openPty } from "../../emulator/bus/pty.ts";
import { listenTcp } from "../../emulator/bus/tcp.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { Running } from "../support/command.ts";

const HEAVY = /\/node_modules\/(@?serialport|mqtt|fastify|classic-level|@?koffi|aedes|csv-parse|pino|@peculiar)\//;

/** The URLs of the scripts that the command had loaded when it ended. */
async function loadedBy(...args: readonly string[]): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-startup-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const env = { ...process.env, NODE_V8_COVERAGE: directory };
  const { code, stderr } = await new Running(args, { env }).exited;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return readdirSync(directory).flatMap((file) => scriptsIn(readFileSync(join(directory, file), "utf8")));
}

function scriptsIn(coverage: string): readonly string[] {
  const { result } = JSON.parse(coverage) as { readonly result: readonly { readonly url: string }[] };
  return result.map(({ url }) => url).filter((url) => url.startsWith("file:"));
}

it("--help loads no library but its own bundle", async () => {
  const loaded = await loadedBy("--help");
  expect(loaded.some((url) => url.endsWith("/dist/host/cli/main.js"))).toBe(true);
  expect(loaded.filter((url) => url.includes("/node_modules/"))).toEqual([]);
});

it("module status over TCP loads no library of a serial port, a broker, a store or a log", async () => {
  const endpoint = await listenTcp({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => endpoint.close());
  endpoint.onConnection((duplex) => attachUart(new EmulatedModule(), duplex));
  const loaded = await loadedBy("module", "--port", endpoint.uri, "status");
  expect(loaded.some((url) => url.endsWith("/dist/host/cli/main.js"))).toBe(true);
  expect(loaded.filter((url) => HEAVY.test(url))).toEqual([]);
});

it("module status on a serial port does load its library: this is how a library would be seen", async () => {
  const pty = await openPty();
  onTestFinished(() => pty.close());
  attachUart(new EmulatedModule(), pty.duplex);
  const loaded = await loadedBy("module", "--port", `uart:${pty.path}`, "status");
  expect(loaded.some((url) => HEAVY.test(url))).toBe(true);
});
