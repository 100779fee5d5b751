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

const NO_FILE = "/nonexistent/sakuraio";
const HEAVY = /\/node_modules\/(@?serialport|mqtt|fastify|classic-level|@?koffi|aedes|csv-parse|pino|@peculiar)\//;

/** The URLs of the scripts that the command had loaded when it ended. */
async function loadedBy(...args: readonly string[]): Promise<readonly string[]> {
  const { exit, loaded } = await startedWith(args);
  expect({ code: exit.code, stderr: exit.stderr }).toEqual({ code: 0, stderr: "" });
  return loaded;
}

async function startedWith(args: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), "sakuraio-startup-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const env = { ...process.env, NODE_V8_COVERAGE: directory };
  const exit = await new Running(args, { env }).exited;
  const loaded = readdirSync(directory).flatMap((file) => scriptsIn(readFileSync(join(directory, file), "utf8")));
  return { exit, loaded };
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

// Each ends as soon as it finds that there is nothing for it to work on: what it has loaded by then is its start.
it.each<[line: string, heavy: readonly string[]]>([
  [`config check ${NO_FILE}`, []],
  ["feed --port tcp:127.0.0.1:9 --sine", []],
  [`replay ${NO_FILE} --uart tcp:127.0.0.1:0`, []],
  [`aws-iot check --config ${NO_FILE}`, []],
  [`doctor --port uart:${NO_FILE}`, []],
  [`module --port uart:${NO_FILE} status`, ["@serialport"]],
  [`bridge --config ${NO_FILE}`, ["classic-level"]],
])("of the heavy libraries, %s loads %j", async (line, heavy) => {
  const { exit, loaded } = await startedWith(line.split(" "));
  expect(exit.signal).toBeNull();
  expect(exit.code).not.toBe(0);
  expect([...new Set(loaded.flatMap((url) => HEAVY.exec(url)?.[1] ?? []))]).toEqual(heavy);
});
