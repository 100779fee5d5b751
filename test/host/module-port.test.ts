/** The client over a real pseudo-terminal and real TCP, with the emulated module at the other end. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openPty, type PtyEndpoint } from "../../emulator/bus/pty.ts";
import { listenTcp } from "../../emulator/bus/tcp.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { parseFaults } from "../../emulator/faults.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { MessageLog } from "../../emulator/uplink.ts";
import { openSerialPort } from "../../host/adapter/serial-port.ts";
import type { PortState } from "../../host/connection.ts";
import { type OpenOptions, SakuraModule } from "../../host/module.ts";
import { failsWith } from "../support/errors.ts";

/** Long enough for any machine: these tests are about what happens, not when. */
const PATIENT = 10_000;

/** The state that the port is in by then. */
function inState(module: SakuraModule, kind: PortState["kind"]): Promise<PortState> {
  return new Promise((resolve) => {
    if (module.state.kind === kind) resolve(module.state);
    else module.onState((state) => void (state.kind === kind && resolve(state)));
  });
}

describe.skipIf(process.platform === "win32")("over a pseudo-terminal", () => {
  let folder: string;
  let link: string;
  let emulated: EmulatedModule;
  let pty: PtyEndpoint;
  const modules: SakuraModule[] = [];

  async function plugIn(): Promise<void> {
    pty = await openPty({ link });
    attachUart(emulated, pty.duplex);
  }

  async function opened(options: OpenOptions = {}): Promise<SakuraModule> {
    const module = await SakuraModule.open(`uart:${link}`, { timeoutMs: PATIENT, ...options });
    modules.push(module);
    return module;
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "module-port-"));
    link = join(folder, "port");
    emulated = new EmulatedModule({ sendTimeMs: 0 });
    await plugIn();
  });
  afterEach(async () => {
    for (const module of modules.splice(0)) await module.close();
    await pty.close();
    rmSync(folder, { recursive: true });
  });

  it.each([{ early: false }, { early: true }])("drives the emulated module, %j", async ({ early }) => {
    const module = await opened({ early });
    expect(module.name).toBe(link);
    expect(await module.getUniqueId()).toBe("16B0100260");
    for (let value = 0; value < 20; value++) await module.txEnqueue({ channel: 1, type: "i", value });
    expect(await module.txLength()).toEqual({ available: 12, queued: 20 });
    await module.flush();
    expect(await module.txLength()).toEqual({ available: 32, queued: 0 });
    const bytes = Uint8Array.from({ length: 255 }, (_, i) => i);
    expect(await module.echoBack(bytes)).toEqual(bytes);
  });

  it("carries 500 echoes over a line that loses bytes, each its own", async () => {
    const module = await opened({ timeoutMs: 100, retries: 20 });
    // A lost byte never goes unnoticed; of two flipped ones the parity may say nothing.
    emulated.setFaults(parseFaults("drop=0.002,seed=11"));
    for (let i = 0; i < 500; i++) {
      const bytes = Uint8Array.of(i & 0xff, i >> 8);
      expect(await module.echoBack(bytes)).toEqual(bytes);
    }
  });

  it("ends what half a line an earlier program has left", async () => {
    const before = await openSerialPort({ path: link });
    before.write(Buffer.from("AT*CMD=0F"));
    await before.close();
    const module = await opened();
    expect(await module.getUniqueId()).toBe("16B0100260");
  });

  it("says that the port has gone, in a command and after it", async () => {
    const module = await opened();
    emulated.override("GET_SIGNAL_QUALITY", (_request, next) => {
      void pty.close();
      return next();
    });
    await failsWith("PORT_LOST", module.getSignalQuality());
    await failsWith("PORT_LOST", module.getSignalQuality());
    expect(module.state).toMatchObject({ kind: "lost", nextAttempt: undefined });
  });

  it("does not know whether a command was carried out that must not be repeated, when the port goes", async () => {
    const module = await opened();
    emulated.override("TX_ENQUEUE", (_request, next) => {
      void pty.close();
      return next();
    });
    const error = await failsWith("OUTCOME_UNKNOWN", module.txEnqueue({ channel: 1, type: "i", value: 25 }));
    expect(error.cause).toMatchObject({ code: "PORT_LOST" });
    expect(emulated.state.enqueued).toBe(1);
  });

  it("opens a port again that comes back, and the command that waits goes out then", async () => {
    const module = await opened({ reopen: true });
    const states: string[] = [];
    module.onState(({ kind }) => states.push(kind));
    expect(await module.getSignalQuality()).toBe(5);
    await pty.close();
    const lost = await inState(module, "lost");
    expect(lost).toMatchObject({ reason: { code: "PORT_LOST" } });
    const waiting = [module.txEnqueue({ channel: 1, type: "i", value: 25 }), module.getUniqueId()];
    await plugIn();
    expect(await Promise.all(waiting)).toEqual([undefined, "16B0100260"]);
    expect(module.state).toEqual({ kind: "open" });
    expect(emulated.state.enqueued).toBe(1);
    expect(states[0]).toBe("lost");
    expect(states.at(-1)).toBe("open");

    // And once more.
    await pty.close();
    await inState(module, "lost");
    await plugIn();
    expect(await module.getUniqueId()).toBe("16B0100260");
  });

  it("does not wait for a port longer than a command's timeout, or than its signal", async () => {
    const module = await opened({ reopen: true });
    await pty.close();
    await inState(module, "lost");
    await failsWith("PORT_LOST", module.getSignalQuality({ timeoutMs: 50 }));
    const abort = new AbortController();
    const aborted = failsWith("ABORTED", module.getSignalQuality({ signal: abort.signal }));
    const closed = failsWith("CLOSED", module.getSignalQuality());
    abort.abort();
    await aborted;
    await module.close();
    await closed;
    expect(module.state).toEqual({ kind: "closed" });
  });

  it("goes on receiving when the port comes back", async () => {
    const module = await opened({ reopen: true });
    const deliver = (value: number): void =>
      emulated.deliver({
        type: "channels",
        module: emulated.id,
        payload: { channels: [{ channel: 1, type: "i", value }] },
      });
    deliver(1);
    const values = module.received({ pollMs: 5, onTrouble: () => undefined });
    expect(await values.next()).toMatchObject({ value: { value: 1 } });
    await pty.close();
    await inState(module, "lost");
    deliver(2);
    const next = values.next();
    await plugIn();
    expect(await next).toMatchObject({ value: { value: 2 } });
  });

  it("says which program holds the port, or that there is none", async () => {
    await opened();
    expect((await failsWith("PORT_BUSY", opened())).message).toContain(link);
    expect((await failsWith("PORT_NOT_FOUND", SakuraModule.open(`uart:${join(folder, "none")}`))).message).toMatch(
      /serial ports here: |no serial port is there/,
    );
  });

  it("refuses limits before it opens anything", async () => {
    await failsWith("INVALID_ARGUMENT", opened({ timeoutMs: 0 }));
    await opened();
  });
});

describe("over TCP", () => {
  it("drives the emulated module, and sees it go and come back", async () => {
    const log = new MessageLog();
    const emulated = new EmulatedModule({ sendTimeMs: 0, uplink: log });
    let endpoint = await listenTcp({ host: "127.0.0.1", port: 0 });
    endpoint.onConnection((duplex) => attachUart(emulated, duplex));
    const module = await SakuraModule.open(endpoint.uri, { timeoutMs: PATIENT, reopen: true });
    await module.txEnqueue({ channel: 4, type: "L", value: 18446744073709551615n });
    await module.flush();
    expect(log.messages).toMatchObject([{ payload: { channels: [{ channel: 4, value: 18446744073709551615n }] } }]);

    const port = Number(endpoint.uri.split(":").at(-1));
    await endpoint.close();
    await inState(module, "lost");
    endpoint = await listenTcp({ host: "127.0.0.1", port });
    endpoint.onConnection((duplex) => attachUart(emulated, duplex));
    expect(await module.getUniqueId()).toBe("16B0100260");
    await module.close();
    await endpoint.close();
  });

  it("says that nothing listens", async () => {
    const endpoint = await listenTcp({ host: "127.0.0.1", port: 0 });
    const { uri } = endpoint;
    await endpoint.close();
    await failsWith("PORT_NOT_FOUND", SakuraModule.open(uri));
  });
});
